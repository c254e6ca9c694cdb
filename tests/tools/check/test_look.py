"""What is under way is no fault; what cannot be looked at is said, with the remedy."""

import asyncio
from dataclasses import replace

from tests.tools.check.case import A, B
from tests.tools.check.stores import Stores
from tests.tools.check.world import sound_world
from tools.basalt.check.examine import examine
from tools.basalt.check.report import as_text
from tools.basalt.check.settings import Limits

FREE = "DELETE FROM entity_lock"
TAKE = (
    f"INSERT INTO entity_lock (key, queue) VALUES ('app_id:{B.app}', ARRAY['{B.open_saga}'::uuid])"
)
LOCK = frozenset({"lock_not_held"})


async def test_what_is_right_again_at_the_second_look_is_no_fault(stores: Stores) -> None:
    await stores.write(sound_world())
    await stores.run("orchestrator", FREE)
    mended: list[asyncio.Task[None]] = []

    def mend(said: str) -> None:
        if said.startswith("looking again"):
            mended.append(asyncio.create_task(stores.run("orchestrator", TAKE)))

    report = await examine(stores.places, Limits(grace_s=2, only=LOCK), mend)

    assert mended
    assert report.looks == 2
    assert not report.violated, as_text(report, 10)


async def test_what_is_there_at_both_looks_is_a_fault(stores: Stores) -> None:
    await stores.write(sound_world())
    await stores.run("orchestrator", FREE)

    report = await examine(stores.places, Limits(grace_s=0.05, only=LOCK))

    assert report.looks == 2
    assert report.names == {"lock_not_held"}


async def test_a_saga_that_moved_between_two_looks_is_under_way(stores: Stores) -> None:
    await stores.write(sound_world())
    await stores.run("orchestrator", FREE)
    moved: list[asyncio.Task[None]] = []

    def move(said: str) -> None:
        if said.startswith("looking again"):
            step = "UPDATE saga_instance SET version = version + 1"
            moved.append(asyncio.create_task(stores.run("orchestrator", step)))

    report = await examine(stores.places, Limits(grace_s=2, only=LOCK), move)

    assert moved
    assert not report.violated


async def test_at_rest_nothing_may_be_under_way(stores: Stores) -> None:
    await stores.write(sound_world())

    report = await examine(stores.places, Limits(at_rest=True))

    assert report.looks == 1
    assert report.names == {"saga_unfinished", "lost_event"}, as_text(report, 10)


async def test_the_second_look_reads_topics_on(stores: Stores) -> None:
    """A fact whose row is ahead of the topic, and which arrives meanwhile."""
    await stores.write(sound_world())
    ahead = "UPDATE account SET version = version + 1"
    behind = "UPDATE account SET version = version - 1"
    await stores.run("billing", ahead)
    mended: list[asyncio.Task[None]] = []

    def mend(said: str) -> None:
        if said.startswith("looking again"):
            mended.append(asyncio.create_task(stores.run("billing", behind)))

    report = await examine(stores.places, Limits(grace_s=2), mend)

    assert mended
    assert not report.violated, as_text(report, 10)
    (line,) = [line for line in report.lines if line.name == "lost_event"]
    assert line.outcome
    assert line.outcome.looked["facts"] == sum(m.is_fact for m in sound_world().script.messages)


async def test_what_cannot_be_reached_is_said_with_the_remedy(stores: Stores) -> None:
    await stores.write(sound_world())
    places = replace(stores.places, kafka="127.0.0.1:1", mongo="")

    report = await examine(places, Limits(at_rest=True))

    lacking = {line.name: line.why for line in report.unchecked}
    assert "KAFKA_BOOTSTRAP" in lacking["version_gap"]
    assert "MONGO_URL is not set" in lacking["bodies"]
    assert "pointer" not in lacking
    assert "lock_not_held" not in lacking


async def test_a_limit_on_records_is_told_and_makes_no_false_alarm(stores: Stores) -> None:
    await stores.write(sound_world())

    report = await examine(stores.places, Limits(grace_s=0.05, records_max=30))

    assert any("raise --records" in text for text in report.cut)
    assert not report.violated, as_text(report, 10)


async def test_what_an_abandoned_publish_left_live_is_told_and_is_no_fault(stores: Stores) -> None:
    await stores.write(sound_world())
    uncounted = "UPDATE account SET state = jsonb_set(state, '{apps}', '{}')"
    await stores.run("billing", f"{uncounted} WHERE id = '{A.ws}'")
    published = f"state::jsonb -> 'data' ->> 'release_id' = '{A.release}'"
    abandoned = "UPDATE saga_instance SET status = 'ABANDONED', next_wake_at = NULL"
    await stores.run("orchestrator", f"{abandoned} WHERE {published}")

    report = await examine(stores.places, Limits(only=frozenset({"quota_mismatch"})))

    assert not report.violated, as_text(report, 10)
    assert "abandoned publishes left 1 releases live" in as_text(report, 10)
