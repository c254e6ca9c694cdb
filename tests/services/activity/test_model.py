"""What the feed keeps of an event."""

import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from chassis.clock import new_id
from chassis.messaging.envelope import Fact
from services.activity.handlers import remember
from services.activity.model import REDACTED, Entry, entry_of, position

NOON = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)


def a_fact(
    data: object, time: datetime = NOON, workspace_id: UUID | None = None, traceparent: str = ""
) -> Fact:
    return Fact(
        id=new_id(),
        type="delivery.ReleasePublished.v1",
        source="/basalt/delivery",
        subject="an-app",
        time=time,
        key="an-app",
        topic="delivery.release.v1",
        data=json.dumps(data).encode(),
        workspace_id=workspace_id,
        aggregate_version=7,
        traceparent=traceparent,
    )


class FakeFeed:
    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)


class TestRemember:
    async def test_keeps_who_what_where_and_the_trace(self) -> None:
        feed = FakeFeed()
        app_id, workspace_id = new_id(), new_id()
        trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"

        await remember(a_fact({"app_id": str(app_id)}, NOON, workspace_id, trace), feed)

        entry = feed.entries[0]
        assert (entry.app_id, entry.workspace_id) == (app_id, workspace_id)
        assert (entry.aggregate_version, entry.trace_id) == (7, "a" * 32)

    def test_takes_the_workspace_from_the_body_when_the_envelope_has_none(self) -> None:
        workspace_id = new_id()

        assert entry_of(a_fact({"workspace_id": str(workspace_id)})).workspace_id == workspace_id

    def test_keeps_an_app_id_that_is_no_uuid_as_no_app(self) -> None:
        assert entry_of(a_fact({"app_id": "seven"})).app_id is None

    def test_keeps_no_secrets_at_any_depth(self) -> None:
        data = {"user": [{"Password": "hunter2", "name": "Ada"}], "api_token": "t", "token": None}

        kept = json.loads(entry_of(a_fact(data)).data)

        assert kept == {
            "user": [{"Password": REDACTED, "name": "Ada"}],
            "api_token": REDACTED,
            "token": None,
        }

    def test_keeps_numbers_and_odd_names_exactly(self) -> None:
        data = {"$set": 2**70, "a.b": "é\u0000", "": 0.1}

        assert json.loads(entry_of(a_fact(data)).data) == data

    def test_a_body_that_is_no_object_is_a_bug_of_its_sender(self) -> None:
        with pytest.raises(ValueError, match="JSON object"):
            entry_of(a_fact([1]))


class TestPosition:
    def test_sorts_by_time_then_by_id(self) -> None:
        first, second = sorted((new_id(), new_id()))
        later = NOON + timedelta(microseconds=1)

        ordered = [
            position(NOON),
            position(NOON, first),
            position(NOON, second),
            position(later),
        ]

        assert ordered == sorted(ordered)

    def test_is_the_same_in_every_time_zone(self) -> None:
        elsewhere = NOON.astimezone(timezone(timedelta(hours=5)))

        assert position(elsewhere) == position(NOON)
        assert position(NOON.replace(tzinfo=None)) == position(NOON)
