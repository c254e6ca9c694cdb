"""The feed on a real MongoDB: each event once, paged, by workspace, app, actor, type and time."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chassis.clock import new_id
from chassis.errors import Rejected, Unavailable
from chassis.messaging.envelope import Envelope
from chassis.resources import Resources
from chassis.stores.mongo import Documents
from chassis.stores.postgres import Database
from contracts.activity.feed import FeedCursorInvalid, FeedPage, GetFeed
from services.activity.handlers import HANDLERS
from services.activity.model import Feed
from services.activity.settings import Settings
from services.activity.store import COLLECTION, FeedPages, MongoFeed
from services.activity.views import get_feed
from tests.services.participant import Participant, a_participant, fresh_database

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@dataclass
class History:
    """A workspace and what happens in it, a minute apart."""

    activity: Participant
    workspace_id: UUID = field(default_factory=new_id)
    minutes: int = 0

    def event(
        self,
        kind: str = "studio.EntityChanged.v1",
        app_id: UUID | None = None,
        actor_id: UUID | None = None,
        **data: object,
    ) -> Envelope:
        self.minutes += 1
        body = {**data, **({"app_id": str(app_id)} if app_id else {})}
        return Envelope(
            id=new_id(),
            type=kind,
            source="/basalt/studio",
            subject="thing",
            time=NOON + timedelta(minutes=self.minutes),
            key="thing",
            topic="studio.app.v1",
            data=json.dumps(body).encode(),
            workspace_id=self.workspace_id,
            aggregate_version=self.minutes,
            actor_id=actor_id,
        )

    async def ask(self, **filters: object) -> FeedPage:
        query = GetFeed.model_validate({"workspace_id": self.workspace_id, **filters})
        return await get_feed(query, FeedPages(self.activity.resources))

    async def versions(self, **filters: object) -> list[int]:
        return [entry.aggregate_version for entry in (await self.ask(**filters)).entries]


@pytest.fixture
async def history(postgres_url: str, mongo_url: str) -> AsyncIterator[History]:
    database = await Database.open(await fresh_database(postgres_url, "activity"), pool_max=2)
    mongo = Documents.open(mongo_url, f"activity_{new_id().hex}")
    resources = Resources(Settings(context_key="a test's key of contexts"))
    resources.opened.update(postgres=database, mongo=mongo)
    yield History(a_participant("activity", HANDLERS, {Feed: MongoFeed}, resources))
    mongo.close()
    await database.close()


async def test_an_event_that_comes_again_is_one_entry(history: History) -> None:
    first, second = history.event(), history.event()

    await history.activity.hear(first, first)
    await history.activity.hear(second, first)
    await history.activity.database.execute("DELETE FROM inbox")  # as if it had been pruned
    await history.activity.hear(first, second)

    assert await history.versions() == [2, 1]
    assert history.activity.letters.letters == []


async def test_an_entry_says_who_what_where_and_when(history: History) -> None:
    app_id, actor_id = new_id(), new_id()
    event = history.event("studio.EntityAdded.v1", app_id, actor_id, name="Ünï", size=2**60)

    await history.activity.hear(event)

    (entry,) = (await history.ask()).entries
    assert (entry.event_id, entry.type, entry.time) == (event.id, event.type, event.time)
    assert (entry.app_id, entry.actor_id) == (app_id, actor_id)
    assert entry.data == {"name": "Ünï", "size": 2**60, "app_id": str(app_id)}


async def test_filters_hold_together(history: History) -> None:
    app_id, actor_id = new_id(), new_id()
    await history.activity.hear(
        history.event(app_id=app_id, actor_id=actor_id),
        history.event(app_id=app_id),
        history.event(actor_id=actor_id),
        history.event("delivery.ReleasePublished.v1", app_id, actor_id),
        history.event("billing.PlanChanged.v1"),
    )

    assert await history.versions(app_id=app_id) == [4, 2, 1]
    assert await history.versions(actor_id=actor_id) == [4, 3, 1]
    assert await history.versions(app_id=app_id, types=["studio.EntityChanged.v1"]) == [2, 1]
    two_types = ["delivery.ReleasePublished.v1", "billing.PlanChanged.v1"]
    assert await history.versions(types=two_types) == [5, 4]
    since, until = NOON + timedelta(minutes=2), NOON + timedelta(minutes=4)
    assert await history.versions(since=since, until=until) == [3, 2]


async def test_pages_follow_each_other_while_new_events_arrive(history: History) -> None:
    await history.activity.hear(*(history.event() for _ in range(5)))
    seen: list[int] = []
    cursor = ""

    for _ in range(3):
        page = await history.ask(limit=2, cursor=cursor)
        seen += [entry.aggregate_version for entry in page.entries]
        cursor = page.cursor_next
        await history.activity.hear(history.event())

    assert seen == [5, 4, 3, 2, 1]
    assert cursor == ""


async def test_events_of_one_moment_are_neither_lost_nor_doubled(history: History) -> None:
    events = [history.event() for _ in range(5)]
    moment = [
        Envelope(**{**{name: getattr(one, name) for name in one.__slots__}, "time": NOON})
        for one in events
    ]
    await history.activity.hear(*moment)

    first = await history.ask(limit=3)
    rest = await history.ask(limit=3, cursor=first.cursor_next)

    ids = [entry.event_id for entry in first.entries + rest.entries]
    assert sorted(ids) == sorted(one.id for one in moment)


async def test_another_workspace_sees_nothing(history: History) -> None:
    await history.activity.hear(history.event())

    assert (await History(history.activity).ask()).entries == []


@pytest.mark.parametrize("cursor", ["x", "$gt", "0" * 47, "G" * 48])
async def test_a_made_up_cursor_is_refused(history: History, cursor: str) -> None:
    with pytest.raises(Rejected) as refusal:
        await history.ask(cursor=cursor)

    assert refusal.value.rejection == FeedCursorInvalid(cursor=cursor)


async def test_a_body_that_is_no_json_is_set_aside_and_the_others_go_on(
    history: History,
) -> None:
    broken = history.event()
    fields = {name: getattr(broken, name) for name in broken.__slots__}

    await history.activity.hear(
        history.event(), Envelope(**{**fields, "data": b"{"}), history.event()
    )

    assert await history.versions() == [3, 2]
    assert [topic for topic, _ in history.activity.letters.letters] == ["dlq.activity"]


async def test_while_mongo_is_away_nothing_is_taken_as_done(history: History) -> None:
    event = history.event()
    resources = history.activity.resources
    there = resources.opened["mongo"]
    resources.opened["mongo"] = Documents.open("mongodb://127.0.0.1:1/", "nowhere", timeout=0.2)

    with pytest.raises(Unavailable):
        await history.activity.hear(event)
    resources.opened["mongo"] = there
    await history.activity.hear(event)

    assert await there.count(COLLECTION, {}) == 1
