"""A world is one seed's: its trace, its shrinking, and a judge who notices damage."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from chassis.testing.simulation import world as worlds
from chassis.testing.simulation.checker import check
from chassis.testing.simulation.faults import NONE, Faults
from chassis.testing.simulation.machines import OrchestratorMachine
from chassis.testing.simulation.run import in_silence, shrunk, simulate, simulate_many
from chassis.testing.simulation.scenario import Scenario
from chassis.testing.simulation.story import story
from chassis.testing.simulation.world import World
from sagas.publish_app import publish_app
from tests.chassis.simulation.damage import forget_what_was_handled
from tests.simulation.scenarios import every

SMALL = Scenario((publish_app,), starts=6, refusals=0.3)
QUIET = replace(SMALL, faults=NONE)
Row = dict[str, Any]  # a table's row by column


@pytest.mark.parametrize("seed", [3, 11, 2026])
def test_the_same_seed_gives_the_same_trace(seed: int) -> None:
    once, again = simulate(SMALL, seed), simulate(SMALL, seed)

    assert once.digest == again.digest
    assert (once.fired, once.steps, once.sagas) == (again.fired, again.steps, again.sagas)


def test_another_seed_gives_another_trace() -> None:
    digests = {simulate(SMALL, seed).digest for seed in range(4)}

    assert len(digests) == 4


@pytest.mark.thorough
def test_other_processes_see_the_same_traces() -> None:
    here = {outcome.seed: outcome.digest for outcome in simulate_many(every, range(2))}
    there = {outcome.seed: outcome.digest for outcome in simulate_many(every, range(2), jobs=2)}

    assert here == there


def test_faults_that_are_left_out_do_not_happen() -> None:
    all_of_them = simulate(replace(SMALL, faults=Faults(refused=0.05, send_twice=0.2)), 5)

    kept = frozenset(number for number, _ in all_of_them.fired[:2])
    some = simulate(replace(SMALL, faults=Faults(refused=0.05, send_twice=0.2)), 5, kept)

    assert len(all_of_them.fired) > 2
    assert {number for number, _ in some.fired} <= kept


def test_a_failure_is_shrunk_to_what_it_takes_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_what_was_handled(monkeypatch)
    scenario = replace(SMALL, faults=Faults(send_twice=0.3, refused=0.05))
    failed = simulate(scenario, 7)

    small = shrunk(scenario, failed)

    assert failed.violations
    assert small.violations
    assert len(small.fired) < len(failed.fired)
    assert len(small.fired) <= 6
    assert "send twice" in story(scenario, small)


@pytest.fixture(scope="module")
def at_rest() -> World:
    """A world in which sagas were completed and compensated, and nothing is wrong."""
    world = World(QUIET, 1)
    with in_silence():
        outcome = world.run()
    assert outcome.violations == []
    assert {"COMPLETED", "COMPENSATED"} <= outcome.sagas.keys()
    return world


@pytest.fixture
def world(at_rest: World) -> Iterator[World]:
    """The same, and as before once the test has damaged it."""
    tables = [table for server in at_rest.servers.values() for table in server.tables.values()]
    before = [{key: dict(row) for key, row in table.rows.items()} for table in tables]
    committed = {name: dict(group.committed) for name, group in at_rest.kafka.groups.items()}
    yield at_rest
    for table, rows in zip(tables, before, strict=True):
        table.rows.clear()
        table.rows.update(rows)
    for name, offsets in committed.items():
        at_rest.kafka.groups[name].committed = offsets


def names(world: World) -> set[str]:
    return {violation.name for violation in check(world)}


class TestTheJudge:
    """Each kind of damage, planted in a world at rest, is called by its name."""

    @pytest.mark.parametrize(
        ("status", "change", "name"),
        [
            ("COMPLETED", lambda line: [], "I2 complete without its effect"),
            ("COMPLETED", lambda line: [line, _again(line)], "I2 effect twice"),
            ("COMPENSATED", lambda line: [line], "I3 compensated with an effect left"),
            (
                "COMPENSATED",
                lambda line: [line, _undone(line), _again(line)],
                "I4 effect after its undoing",
            ),
        ],
    )
    def test_sees_effects(
        self, world: World, status: str, change: Callable[[str], list[str]], name: str
    ) -> None:
        row, line = _effect_of(world, status)
        deeds = orjson.loads(row["state"])
        rest = [other for other in deeds["log"] if other.split(" ")[1:3] != line.split(" ")[1:3]]

        row["state"] = orjson.dumps({**deeds, "log": [*rest, *change(line)]}).decode()

        assert name in names(world)

    def test_lets_an_abandoned_saga_keep_what_it_sent_and_nothing_else(self, world: World) -> None:
        row = _saga_of(world, "COMPENSATED")
        _, line = _effect_of(world, "COMPENSATED")
        row["status"] = "ABANDONED"
        assert names(world) == set()

        state = orjson.loads(row["state"])
        assert state["actor_id"] == line.split(" ")[1]
        unsent = [["pending", 0] for _ in state["steps"]]
        row["state"] = orjson.dumps({**state, "steps": unsent}).decode()

        assert names(world) == {"I2 effect of what was never sent"}

    def test_lets_a_step_that_was_skipped_have_its_effect_or_not(self, world: World) -> None:
        row, line = _effect_of(world, "COMPLETED")
        deeds, step = orjson.loads(row["state"]), line.split(" ")[2]
        rest = [other for other in deeds["log"] if other != line]
        row["state"] = orjson.dumps({**deeds, "log": rest}).decode()
        assert names(world) == {"I2 complete without its effect"}

        saga_id = _saga_of(world, "COMPLETED")["id"]
        for event in world.rows("orchestrator", "saga_event"):
            if (event["saga_id"], event["step"]) == (saga_id, step):
                event["happened"] = "step_skipped"

        assert names(world) == set()

    def test_sees_a_row_that_nobody_sends(self, world: World) -> None:
        world.servers["billing"].tables["outbox"].rows["lost"] = {"id": "lost"}

        assert "L1 not at rest" in names(world)

    def test_sees_an_offset_beyond_what_was_handled(self, world: World) -> None:
        world.servers["billing"].tables["inbox"].rows.popitem()

        assert "I9 committed and not handled" in names(world)

    def test_sees_lag(self, world: World) -> None:
        for group in world.kafka.groups.values():
            group.committed = dict.fromkeys(group.committed, 0)

        assert "L1 not at rest" in names(world)

    def test_sees_a_gap_in_a_history(self, world: World) -> None:
        world.servers["orchestrator"].tables["saga_event"].rows.popitem()

        assert "I10 history has gaps" in names(world)

    def test_sees_a_lock_that_nobody_holds(self, world: World) -> None:
        lock = {"key": "app_id:17", "queue": []}
        world.servers["orchestrator"].tables["entity_lock"].rows["app_id:17"] = lock

        assert "I6 lock left" in names(world)

    def test_sees_a_saga_that_was_lost(self, world: World) -> None:
        world.servers["orchestrator"].tables["saga_instance"].rows.popitem()

        assert "I2 start lost or doubled" in names(world)

    def test_sees_that_an_event_was_handled_twice(self, world: World) -> None:
        row = next(iter(world.servers["observer"].tables["sim_seen"].rows.values()))
        seen = orjson.loads(row["state"])

        row["state"] = orjson.dumps({**seen, "ids": [*seen["ids"], seen["ids"][0]]}).decode()

        assert "I8 event handled twice" in names(world)


class Stumbling(OrchestratorMachine):
    """Whatever it does in the background ends with an error."""

    def background(self, run: Callable[[], Any]) -> None:
        async def stumble() -> None:
            raise ArithmeticError("a bug")

        super().background(stumble)


def test_a_task_of_a_machine_that_ends_with_an_error_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worlds, "OrchestratorMachine", Stumbling)
    monkeypatch.setattr(worlds, "SECONDS_MAX", 20.0)

    found = {violation.name for violation in simulate(QUIET, 1).violations}

    assert "L0 unhandled error" in found


def _saga_of(world: World, status: str) -> Row:
    """The saga whose effect `_effect_of` finds."""
    _, line = _effect_of(world, status)
    for row in world.servers["orchestrator"].tables["saga_instance"].rows.values():
        if orjson.loads(row["state"])["actor_id"] == line.split(" ")[1]:
            return row
    raise AssertionError("an effect is a saga's")


def _effect_of(world: World, status: str) -> tuple[Row, str]:
    """A participant's row and the line in it of an effect that a saga of this status had."""
    sagas = world.rows("orchestrator", "saga_instance")
    actors = [orjson.loads(s["state"])["actor_id"] for s in sagas if s["status"] == status]
    for participant in world.participants:
        for store in participant.stores.values():
            for row in world.servers[participant.name].tables[store.table].rows.values():
                for line in orjson.loads(row["state"]).get("log", []):
                    if line.startswith("do ") and line.split(" ")[1] in actors:
                        return row, line
    raise AssertionError("no such effect: choose another seed")


def _again(line: str) -> str:
    return f"{line.rpartition(' ')[0]} 999999"


def _undone(line: str) -> str:
    return f"{line.replace('do ', 'undo ', 1).rpartition(' ')[0]} 999998"
