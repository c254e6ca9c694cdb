"""Delivery on a real Postgres and real blobs: what is kept, announced, and who wins a race."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from chassis.clock import SystemClock, new_id
from chassis.errors import Rejected
from chassis.stores.postgres import Database
from contracts.delivery.environment import Environment
from contracts.delivery.live import AppDeliveries, GetAppDeliveries
from contracts.delivery.release import (
    CursorInvalid,
    GetReleases,
    ListReleases,
    LivePointerMoved,
    ReleasePublished,
    ReleaseState,
    StageRelease,
)
from contracts.studio.app import AppDeleted
from services.delivery.views.releases import get_app_deliveries, get_releases, list_releases
from tests.services.delivery.fakes import (
    a_roll_back,
    a_switch,
    an_abandon,
    an_unpublish,
)
from tests.services.delivery.shop import Shop, a_shop
from tests.services.participant import an_envelope, fresh_database


@pytest.fixture
async def shop(postgres_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    database = await Database.open(await fresh_database(postgres_url, "delivery"), pool_max=4)
    yield a_shop(database, tmp_path)
    await database.close()


async def test_of_many_switches_at_once_exactly_one_wins(shop: Shop) -> None:
    staged = [await shop.staged() for _ in range(6)]

    answers = await shop.delivery.race(*(a_switch(one, previous=None) for one in staged))

    (winner,) = [answer for answer in answers if isinstance(answer, ReleasePublished)]
    refusals = [answer.rejection for answer in answers if isinstance(answer, Rejected)]
    assert refusals == 5 * [
        LivePointerMoved(
            app_id=shop.app_id,
            environment=Environment.PRODUCTION,
            live_release_id=winner.release_id,
        )
    ]
    states = await shop.delivery.database.fetch(
        "SELECT standing, count(*) AS releases FROM release GROUP BY 1 ORDER BY 1"
    )
    assert [tuple(row) for row in states] == [("live", 1), ("staged", 5)]


async def test_rivals_of_one_chunk_are_told_apart_too(shop: Shop) -> None:
    staged = [await shop.staged() for _ in range(3)]
    asked = [an_envelope(a_switch(one, previous=None), SystemClock()) for one in staged]

    await shop.delivery.hear(*asked)

    page = await list_releases(
        ListReleases(workspace_id=shop.workspace_id, app_id=shop.app_id), shop.delivery.database
    )
    assert [release.state for release in page.releases] == [
        ReleaseState.STAGED,
        ReleaseState.STAGED,
        ReleaseState.LIVE,
    ]


async def test_every_command_twice_announces_each_fact_once(shop: Shop) -> None:
    first = await shop.published()
    again = await shop.delivery.send(a_switch(await shop.staged(release_id=first.release_id)))
    second = await shop.published(previous=first.release_id)
    dropped = await shop.staged()
    back = a_roll_back(first, second)
    for command in (an_abandon(dropped), an_abandon(dropped), back, back, an_unpublish(first)):
        await shop.delivery.send(command)

    facts = await shop.delivery.facts()

    assert again == first
    names = [
        *("ReleaseStaged", "ReleasePublished", "ReleaseStaged", "ReleasePublished"),
        *("ReleaseStaged", "ReleaseAbandoned", "ReleaseRolledBack", "AppUnpublished"),
    ]
    assert facts == [(f"delivery.{name}.v1", at) for at, name in enumerate(names, start=1)]


async def test_an_abandon_that_finds_nothing_announces_nothing(shop: Shop) -> None:
    digest = "0" * 64
    never_staged = StageRelease(
        workspace_id=shop.workspace_id,
        app_id=shop.app_id,
        release_id=new_id(),
        revision_id=new_id(),
        environment=Environment.STAGING,
        bundle_digest=digest,
    )

    answer = await shop.delivery.send(an_abandon(never_staged))

    assert answer.key == str(shop.app_id)
    assert await shop.delivery.facts() == []


async def test_a_bundle_is_indexed_once_however_often_it_is_released(shop: Shop) -> None:
    await shop.staged()
    await shop.staged(Environment.STAGING)

    paths = await shop.delivery.database.fetch("SELECT path FROM bundle_file ORDER BY path")

    assert [row["path"] for row in paths] == ["index.json", "pages/home.json"]


async def test_a_deleted_app_goes_off_the_air_once(shop: Shop) -> None:
    await shop.published(environment=Environment.STAGING)
    await shop.published()
    deleted = an_envelope(
        AppDeleted(workspace_id=shop.workspace_id, app_id=shop.app_id), SystemClock()
    )

    await shop.delivery.hear(deleted, deleted)

    facts = [kind for kind, _ in await shop.delivery.facts()]
    assert facts.count("delivery.AppUnpublished.v1") == 2
    (app,) = (await deliveries_of(shop)).apps
    assert [pointer.release for pointer in app.pointers] == [None, None]


async def test_what_is_live_is_told_for_many_apps_at_once(shop: Shop) -> None:
    live = await shop.published()
    never_released = new_id()

    known, unknown = (await deliveries_of(shop, never_released)).apps

    assert known.pointers[0].release is None
    assert known.pointers[1].release is not None
    assert known.pointers[1].release.release_id == live.release_id
    assert known.pointers[1].path == (
        f"/live/{shop.workspace_id}/{shop.app_id}/production/manifest.json"
    )
    assert (unknown.app_id, unknown.version) == (never_released, 0)


async def test_history_is_paged_newest_first(shop: Shop) -> None:
    for _ in range(3):
        await shop.staged()
    await shop.staged(Environment.STAGING)
    ask = ListReleases(
        workspace_id=shop.workspace_id,
        app_id=shop.app_id,
        environment=Environment.PRODUCTION,
        limit=2,
    )

    first = await list_releases(ask, shop.delivery.database)
    rest = await list_releases(
        ask.model_copy(update={"cursor": first.cursor_next}), shop.delivery.database
    )

    assert [release.release_number for release in first.releases] == [3, 2]
    assert [release.release_number for release in rest.releases] == [1]
    assert rest.cursor_next == ""


@pytest.mark.parametrize("cursor", ["x", "-1", "9" * 30, "²"])
async def test_a_made_up_cursor_is_refused(shop: Shop, cursor: str) -> None:
    ask = ListReleases(workspace_id=shop.workspace_id, app_id=shop.app_id, cursor=cursor)

    with pytest.raises(Rejected) as refusal:
        await list_releases(ask, shop.delivery.database)

    assert refusal.value.rejection == CursorInvalid(cursor=cursor)


async def test_another_workspace_sees_nothing(shop: Shop) -> None:
    live = await shop.published()
    stranger = new_id()

    releases = await get_releases(
        GetReleases(workspace_id=stranger, release_ids=[live.release_id]), shop.delivery.database
    )
    page = await list_releases(
        ListReleases(workspace_id=stranger, app_id=shop.app_id), shop.delivery.database
    )

    assert (releases.releases, page.releases) == ([], [])


async def deliveries_of(shop: Shop, *others: UUID) -> AppDeliveries:
    return await get_app_deliveries(
        GetAppDeliveries(workspace_id=shop.workspace_id, app_ids=[shop.app_id, *others]),
        shop.delivery.database,
    )
