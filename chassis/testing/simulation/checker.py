"""The judge of a simulated world: reads its tables and logs, and knows nothing of the engine.

Names follow the invariants of the design: I for safety, L for liveness.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from chassis.saga.definition import Saga
    from chassis.testing.simulation.kafka import SimRecord
    from chassis.testing.simulation.world import World

LATE = timedelta(minutes=3)
"""By so much the clocks of processes may be off."""

ENDED = ("COMPLETED", "COMPENSATED", "ABANDONED")
Row = dict[str, Any]  # a table's row by column


@dataclass(frozen=True)
class Violation:
    """An invariant that does not hold, and what was seen. `saga_id`: whose story tells more."""

    name: str
    seen: str
    saga_id: UUID | None = None

    def __str__(self) -> str:
        return f"{self.name}: {self.seen}"


@dataclass(frozen=True)
class Deed:
    """One effect that a participant wrote down."""

    number: int
    what: str  # "do" or "undo"
    step: str


def restless(world: "World") -> str:
    """What is still under way; "" when the world is at rest."""
    sagas = [r for r in world.rows("orchestrator", "saga_instance") if r["status"] not in ENDED]
    if sagas:
        return f"{len(sagas)} sagas"
    for service, server in world.servers.items():
        if server.rows("outbox"):
            return f"outbox of {service}"
        if any(row["state"] in _PARKED for row in server.rows("dead_letter")):
            return f"parked keys of {service}"
    for name, group in world.kafka.groups.items():
        topics = {topic for member in group.members for topic in member.topics}
        for place, log in world.kafka.logs.items():
            if place.topic in topics and group.committed.get(place, 0) < len(log):
                return f"lag of {name}"
    return ""


def check(world: "World") -> list[Violation]:
    """Everything, once the world is at rest (or will never be)."""
    found = list(_judged(world))
    return sorted(set(found), key=str)


def _judged(world: "World") -> Iterator[Violation]:
    left = world.restless()
    if left:
        yield Violation("L1 not at rest", left)
    for error in world.loop.errors:
        yield Violation("L0 unhandled error", repr(error.get("exception") or error["message"]))
    deeds, by_hand = _deeds(world), _by_hand(world)
    for row in world.rows("orchestrator", "saga_instance"):
        body = json_of(row["state"])
        saga = world.definitions.get(row["type"], row["definition_version"])
        mine = sorted(deeds.get(body["actor_id"], []), key=lambda deed: deed.number)
        free = by_hand[row["id"]] | world.unwatched
        unsent = {s.name for s, at in zip(saga.steps, body["steps"], strict=True) if _unsent(at)}
        for name, seen in _saga(saga, row["status"], mine, free, unsent - free):
            yield Violation(name, f"{seen} ({row['status']} {row['type']})", row["id"])
    yield from _locks(world, deeds, by_hand)
    yield from _nothing_left(world, deeds)
    yield from _histories(world)
    yield from _topics(world)
    yield from _handled(world)


# --- sagas and their effects


def _deeds(world: "World") -> dict[str, list[Deed]]:
    found: dict[str, list[Deed]] = defaultdict(list)
    for participant in world.participants:
        for store in participant.stores.values():
            for row in world.rows(participant.name, store.table):
                for line in json_of(row["state"])["log"]:
                    what, saga, step, _, number = line.split(" ")
                    found[saga].append(Deed(int(number), what, step))
    return found


def _by_hand(world: "World") -> dict[UUID, set[str]]:
    """The steps that an operator attested: done or undone by hand, so that the step's own command
    may have come, may come still, or never."""
    found: dict[UUID, set[str]] = defaultdict(set)
    for row in world.rows("orchestrator", "saga_event"):
        if row["happened"].startswith("step_skipped"):
            found[row["saga_id"]].add(row["step"])
    return found


def _unsent(step: list[Any]) -> bool:
    """By its mark: no command of it was ever sent."""
    return str(step[0]) == "pending"


def _saga(
    saga: "Saga", status: str, deeds: list[Deed], free: Set[str], unsent: Set[str]
) -> Iterator[tuple[str, str]]:
    """What became of one saga. Steps in `free` may or may not have their effect; an abandoned saga
    keeps whatever its commands did, in order and once, and nothing of a command never sent."""
    by_step: dict[str, list[str]] = defaultdict(list)
    for deed in deeds:
        by_step[deed.step].append(deed.what)
    for step in saga.steps:
        story = by_step.get(step.name, [])
        if story not in ([], ["do"], ["do", "undo"]):
            name = "I4 effect after its undoing" if "undo" in story else "I2 effect twice"
            yield name, f"{step.name}: {', '.join(story)}"
        elif step.name in free:
            continue
        elif story and step.name in unsent:
            yield "I2 effect of what was never sent", f"{step.name}: {', '.join(story)}"
        elif status == "COMPLETED" and story != ["do"]:
            yield "I2 complete without its effect", f"{step.name}: {', '.join(story) or 'nothing'}"
        elif status == "COMPENSATED" and story == ["do"]:
            yield "I3 compensated with an effect left", step.name
    yield from _order(saga, [deed for deed in deeds if deed.step not in free])


def _order(saga: "Saga", deeds: list[Deed]) -> Iterator[tuple[str, str]]:
    """Forward by stages, back in reverse; steps beside each other in any order."""
    stage_of = {step.name: saga.stages[i].start for i, step in enumerate(saga.steps)}
    forward = [stage_of[deed.step] for deed in deeds if deed.what == "do"]
    backward = [stage_of[deed.step] for deed in deeds if deed.what == "undo"]
    if backward != sorted(backward, reverse=True):
        yield "I5 undone out of order", str([d.step for d in deeds if d.what == "undo"])
    if forward != sorted(forward):
        yield "I5 done out of order", str([d.step for d in deeds if d.what == "do"])


def _locks(
    world: "World", deeds: dict[str, list[Deed]], by_hand: dict[UUID, set[str]]
) -> Iterator[Violation]:
    """Of sagas on one thing, each ends before the next one's first effect. Whom an operator took
    something out of the hands of does not wait for what is under way."""
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in world.rows("orchestrator", "saga_instance"):
        body = json_of(row["state"])
        saga = world.definitions.get(row["type"], row["definition_version"])
        mine = [deed.number for deed in deeds.get(body["actor_id"], [])]
        if row["status"] == "ABANDONED" or by_hand[row["id"]]:
            continue
        for name in saga.lock_fields if mine else ():
            spans[f"{name}:{body['data'][name]}"].append((min(mine), max(mine)))
    for key, found in spans.items():
        found.sort()
        if any(later[0] < earlier[1] for earlier, later in pairwise(found)):
            yield Violation("I6 two held one lock", key)


def _nothing_left(world: "World", deeds: dict[str, list[Deed]]) -> Iterator[Violation]:
    for row in world.rows("orchestrator", "entity_lock"):
        yield Violation("I6 lock left", f"{row['key']}: {row['queue']}")
    asked = len(world.started)
    for touch in world.touched:
        count = len(deeds.get(str(touch), []))
        if count != 1:
            yield Violation("I2 change lost or doubled", f"{touch}: {count} times")
    rows = len(world.rows("orchestrator", "saga_instance"))
    if rows != asked:
        yield Violation("I2 start lost or doubled", f"{asked} asked for, {rows} sagas")


def _histories(world: "World") -> Iterator[Violation]:
    versions: dict[UUID, list[int]] = defaultdict(list)
    locked: dict[UUID, Any] = {}  # when, an aware datetime
    for row in world.rows("orchestrator", "saga_event"):
        versions[row["saga_id"]].append(row["version"])
        if row["happened"].startswith("locked"):
            locked[row["saga_id"]] = row["at"]
    for row in world.rows("orchestrator", "saga_instance"):
        found = sorted(versions.get(row["id"], []))
        if found != list(range(1, row["version"] + 1)):
            seen = f"version {row['version']}, history {found}"
            yield Violation("I10 history has gaps", seen, row["id"])
        if row["id"] in locked and locked[row["id"]] > row["deadline_at"] + LATE:
            seen = f"locked {locked[row['id']] - row['deadline_at']} after its deadline"
            yield Violation("I10 begun after its deadline", seen, row["id"])


# --- messages


def _topics(world: "World") -> Iterator[Violation]:
    """Per aggregate, once doubles are left out: 1, 2, 3, ... in the order of the log; and what the
    observer handled is exactly that."""
    observed = "observer" in world.servers
    rows = world.rows("observer", "sim_seen") if observed else []
    seen = {row["id"]: json_of(row["state"])["ids"] for row in rows}
    public: dict[str, list[str]] = defaultdict(list)
    topics_of: dict[str, dict[str, str]] = defaultdict(dict)
    versions: dict[tuple[str, str], list[int]] = defaultdict(list)
    known: set[str] = set()
    for place in sorted(world.kafka.logs):
        if place.topic.startswith(("cmd.", "reply.", "dlq.")):
            continue
        for record in world.kafka.logs[place]:
            event = _header(record, "ce_id")
            if event in known:
                continue
            known.add(event)
            key = (record.key or b"").decode()
            versions[place.topic, key].append(int(_header(record, "ce_aggregateversion")))
            public[key].append(event)
            topics_of[key][event] = place.topic
    for (topic, key), found in versions.items():
        if found != list(range(1, len(found) + 1)):
            yield Violation("I7 out of order", f"{topic} {key}: {found}")
    for key, ids in public.items() if observed else ():
        handled = seen.get(key, [])
        if len(handled) != len(set(handled)):
            yield Violation("I8 event handled twice", key)
        elif sorted(handled) != sorted(ids):
            yield Violation("I8 event lost", f"{key}: {len(ids)} sent, {len(handled)} handled")
        elif not in_order(ids, handled, topics_of[key]):
            yield Violation("I7 handled out of order", key)


def in_order(sent: list[str], handled: list[str], topics: dict[str, str]) -> bool:
    """Whether the events of each topic were handled in the order in which they were sent."""
    for topic in set(topics.values()):
        if [e for e in sent if topics[e] == topic] != [e for e in handled if topics[e] == topic]:
            return False
    return True


def _handled(world: "World") -> Iterator[Violation]:
    """Nothing behind a committed offset is unhandled; each thing sent was handled."""
    inboxes = {
        service: {str(row["message_id"]) for row in server.rows("inbox")}
        for service, server in world.servers.items()
    }
    for place, log in world.kafka.logs.items():
        if not place.topic.startswith(("cmd.", "reply.")):
            continue
        service = "orchestrator" if place.topic.startswith("reply.") else place.topic.split(".")[1]
        group = "orchestrator-replies" if service == "orchestrator" else service
        committed = world.kafka.group(group).committed.get(place, 0)
        for record in log[:committed]:
            if _header(record, "ce_id") not in inboxes[service]:
                seen = f"{place.topic} {record.offset} behind {committed}"
                yield Violation("I9 committed and not handled", seen)
    for service, server in world.servers.items():
        for row in server.rows("dead_letter"):
            if row["state"] == "handled":
                continue
            yield Violation("L6 parked or dead", f"{service}: {row['type']} {row['error']}")


_PARKED = ("failed", "waiting", "redriven")


def _header(record: "SimRecord", wanted: str) -> str:
    for name, value in record.headers:
        if name == wanted:
            return value.decode()
    raise LookupError(wanted)


def json_of(value: Any) -> Any:  # JSON, as text or decoded
    """A jsonb column's value."""
    return json.loads(value) if isinstance(value, str | bytes) else value
