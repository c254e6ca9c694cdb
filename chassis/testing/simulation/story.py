"""What happened in a world that failed, told so that a person can follow it."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from chassis.testing.simulation.scenario import Scenario
from chassis.testing.simulation.world import Outcome, World

SAGAS_MAX = 3
LINES_MAX = 80


def story(scenario: Scenario, outcome: Outcome) -> str:
    """The violations, the faults that it takes, and the way of each saga that is concerned."""
    world = _again(scenario, outcome)
    lines = [f"  {violation}" for violation in outcome.violations[:10]]
    lines.append(f"  with {len(outcome.fired)} faults: " + _tape(outcome))
    for saga_id in _concerned(outcome):
        lines.append(f"  saga {saga_id}")
        lines += [f"    {at:9.3f} s  {what}" for at, what in _events(world, saga_id)][:LINES_MAX]
    return "\n".join(lines)


def mermaid(scenario: Scenario, outcome: Outcome) -> str:
    """The first saga concerned, as a sequence diagram of what was on the wire."""
    world = _again(scenario, outcome)
    lines = ["sequenceDiagram", "    participant orchestrator"]
    for saga_id in _concerned(outcome)[:1]:
        for at, topic, kind in _wire(world, saga_id):
            service = topic.split(".")[1] if topic.startswith("cmd.") else kind.split(".")[0]
            arrow = "->>" if topic.startswith("cmd.") else "-->>"
            pair = ("orchestrator", service) if arrow == "->>" else (service, "orchestrator")
            lines.append(f"    {pair[0]}{arrow}{pair[1]}: {kind} at {at:.1f} s")
    return "\n".join(lines)


def _again(scenario: Scenario, outcome: Outcome) -> World:
    """The same world, to look into."""
    from chassis.testing.simulation.run import in_silence, world_of

    world = world_of(scenario, outcome.seed, frozenset(number for number, _ in outcome.fired))
    with in_silence():
        world.run()
    return world


def _tape(outcome: Outcome) -> str:
    return ", ".join(f"{kind} #{number}" for number, kind in outcome.fired[:20]) or "none"


def _concerned(outcome: Outcome) -> list[UUID]:
    found = dict.fromkeys(v.saga_id for v in outcome.violations if v.saga_id)
    return [saga_id for saga_id in found if saga_id][:SAGAS_MAX]


def _events(world: World, saga_id: UUID) -> list[tuple[float, str]]:
    events = [(at, f"{topic}: {kind}") for at, topic, kind in _wire(world, saga_id)]
    start = world.started_at
    for row in world.rows("orchestrator", "saga_event"):
        if row["saga_id"] == saga_id:
            reason = f" ({row['reason']})" if row["reason"] else ""
            at = (row["at"] - start).total_seconds()
            events.append((at, f"saga {row['version']}: {row['happened']} {row['step']}{reason}"))
    return sorted(events, key=lambda event: event[0])


def _wire(world: World, saga_id: UUID) -> Iterator[tuple[float, str, str]]:
    """(seconds, topic, type) of each record that belongs to the saga, in the order of time."""
    found: list[tuple[float, str, str]] = []
    for place, log in world.kafka.logs.items():
        for record in log:
            headers: dict[str, Any] = dict(record.headers)  # bytes
            if headers.get("ce_correlationid", b"").decode() == str(saga_id):
                kind = headers["ce_type"].decode()
                found.append((record.timestamp / 1000, place.topic, kind))
    return iter(sorted(found))
