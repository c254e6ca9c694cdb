"""The auditor finds what was damaged, by its name, and nothing in a sound database."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY

from chassis.clock import SystemClock
from chassis.saga.auditor import INVARIANTS, Auditor
from tests.chassis.saga.stand import Stand, a_stand

DAMAGE = {
    "saga_overdue": "UPDATE saga_instance SET next_wake_at = now() - interval '1 hour'",
    "saga_needs_attention": "UPDATE saga_instance SET status = 'NEEDS_ATTENTION'",
    "saga_history_gap": "DELETE FROM saga_event",
    "lock_without_holder": "INSERT INTO entity_lock (key, queue)"
    " VALUES ('app_id:gone', ARRAY[gen_random_uuid()])",
    "saga_out_of_every_queue": "UPDATE saga_instance SET phase = 'LOCKING', id = gen_random_uuid(),"
    " version = 0",
}


@pytest.fixture
async def stand(fresh_database: str) -> AsyncIterator[Stand]:
    async with a_stand(fresh_database) as stand:
        yield stand


async def test_sound_sagas_raise_no_alarm(stand: Stand) -> None:
    await stand.publish()

    assert await Auditor(stand.database, SystemClock()).look() == {}


def test_each_invariant_has_its_damage() -> None:
    assert set(DAMAGE) == {invariant.name for invariant in INVARIANTS}


@pytest.mark.parametrize("name", DAMAGE)
async def test_damage_is_named_counted_and_gone_when_it_is_mended(stand: Stand, name: str) -> None:
    auditor = Auditor(stand.database, SystemClock())
    await stand.publish()
    await stand.database.execute(DAMAGE[name])

    found = await auditor.look()

    assert name in found
    labels = {"name": name}
    assert REGISTRY.get_sample_value("basalt_invariant_violations", labels) == len(found[name])
    await stand.database.execute("TRUNCATE saga_instance, saga_event, entity_lock")
    assert await auditor.look() == {}
    assert REGISTRY.get_sample_value("basalt_invariant_violations", labels) == 0


async def test_a_look_reads_a_piece_and_the_next_one_goes_on(stand: Stand) -> None:
    await stand.publish(count=5)
    await stand.database.execute(
        "INSERT INTO entity_lock (key, queue) VALUES ('zebra_id:gone', ARRAY[gen_random_uuid()])"
    )
    auditor = Auditor(stand.database, SystemClock(), piece=2)

    looks = [await auditor.look() for _ in range(4)]
    await stand.database.execute("DELETE FROM entity_lock WHERE key = 'zebra_id:gone'")
    mended = [await auditor.look() for _ in range(3)]

    found = [list(look.get("lock_without_holder", ())) for look in (*looks, *mended)]
    assert found == [[], [], *[["zebra_id:gone"]] * 4, []]
