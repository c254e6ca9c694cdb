"""`./basalt check` beside a platform that works: it raises no alarm, and sees what is broken."""

import asyncio

from tests.flows.platform import Platform
from tests.flows.soundness import assert_sound, fetch, places
from tests.flows.traveller import Traveller
from tools.basalt.check.examine import examine
from tools.basalt.check.report import as_text
from tools.basalt.check.settings import Limits

LOOKS = 3
PUBLISHERS = 3
RUNNING = Limits(grace_s=3)


async def test_work_under_way_is_no_fault(platform: Platform, traveller: Traveller) -> None:
    at_work = True

    async def publish_on_and_on(app_id: str) -> int:
        published = 0
        while at_work:
            await traveller.ended(await traveller.publish(app_id))
            published += 1
        return published

    apps = [traveller.story.app_id, *[await traveller.new_app() for _ in range(PUBLISHERS - 1)]]
    publishers = [asyncio.create_task(publish_on_and_on(app_id)) for app_id in apps]
    try:
        reports = [await examine(places(platform), RUNNING) for _ in range(LOOKS)]
    finally:
        at_work = False
        published = await asyncio.gather(*publishers)

    assert min(published) >= 1
    for report in reports:
        assert not report.violated, as_text(report, 10)
        assert not report.unchecked, as_text(report, 10)
    await assert_sound(platform)


async def test_a_lock_that_nobody_lets_go_is_seen_while_it_runs(
    platform: Platform, traveller: Traveller
) -> None:
    await traveller.ended(await traveller.publish())
    saga = "(SELECT id FROM saga_instance WHERE status = 'COMPLETED' LIMIT 1)"
    await fetch(
        platform,
        "orchestrator",
        f"INSERT INTO entity_lock (key, queue) VALUES ('planted', ARRAY[{saga}])",
    )

    try:
        report = await examine(places(platform), RUNNING)
    finally:
        await fetch(platform, "orchestrator", "DELETE FROM entity_lock WHERE key = 'planted'")

    assert report.names == {"saga_ended_with_residue"}, as_text(report, 10)
    await assert_sound(platform)
