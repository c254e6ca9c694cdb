"""Damage of every kind is planted into a sound world, and told by its name and no other."""

import pytest

from tests.tools.check.case import Case
from tests.tools.check.damage import CASES
from tests.tools.check.stores import Stores
from tests.tools.check.world import sound_world
from tools.basalt.check.examine import examine
from tools.basalt.check.invariants import INVARIANTS
from tools.basalt.check.report import as_text
from tools.basalt.check.settings import Limits

RUNNING = Limits(grace_s=0.05)


async def test_a_sound_world_is_sound(stores: Stores) -> None:
    await stores.write(sound_world())

    report = await examine(stores.places, RUNNING)

    assert not report.violated, as_text(report, 10)
    assert not report.unchecked, as_text(report, 10)
    assert not report.cut


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.what}")
async def test_damage_is_found_by_its_name_and_no_other(stores: Stores, case: Case) -> None:
    world = sound_world()
    case.before(world)
    await stores.write(world)
    await case.after(stores)

    report = await examine(stores.places, Limits(at_rest=True) if case.at_rest else RUNNING)

    assert report.names == {case.name}, as_text(report, 10)
    assert not report.unchecked


def test_every_invariant_has_planted_damage() -> None:
    assert {case.name for case in CASES} == set(INVARIANTS)
