"""What a relay says to its database, its counters and its fault points, word for word."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from chassis.messaging import relay as module
from chassis.messaging.metrics import OUTBOX_SENT
from chassis.messaging.outbox import PAYLOAD_BYTES_MAX, Outbox, add_outbox
from chassis.stores.statement import Statement
from tests.chassis.messaging.carrier_bed import a_row
from tests.chassis.messaging.relay_bed import Field, an_envelope

_INSERT = (
    "INSERT INTO outbox"
    " (id, aggregatetype, aggregateid, type, topic, headers, payload, shard, epoch)"
    " SELECT * FROM unnest({}::uuid[], {}::text[], {}::text[], {}::text[], {}::text[],"
    " {}::text[], {}::bytea[], {}::int[], {}::bigint[])"
    " ON CONFLICT (id) DO NOTHING"
)


class Points:
    """Fault points that are armed, and note who passes."""

    armed = True

    def __init__(self) -> None:
        self.passed: list[tuple[Any, ...]] = []

    async def at(self, name: str, rows: Any) -> None:
        self.passed.append((name, [row.id for row in rows]))


def test_rows_are_inserted_once_each() -> None:
    statement = Statement()

    add_outbox(statement, [a_row()], {})

    assert statement.fragments[0].sql == _INSERT


def test_the_largest_payload_fits() -> None:
    outbox = Outbox()

    outbox.append(replace(an_envelope(0), data=b"x" * PAYLOAD_BYTES_MAX))

    assert len(outbox) == 1


async def test_it_deletes_prolongs_and_leaves_with_these_words(started: Field) -> None:
    await started.commit(an_envelope(0))
    await started.commit(an_envelope(0))
    tasks = started.relay._tasks
    await started.relay.stop(1.0)

    delete = started.base.run[1].fragments[1].sql
    assert delete == "DELETE FROM outbox WHERE id = ANY({}::uuid[])"
    assert set(started.base.words) == {
        "SELECT held_shard, held_epoch FROM relay_tick($1, $2, $3, $4, $5)",
        "WITH gone AS (DELETE FROM relay_member WHERE owner = $1)"
        " UPDATE relay_lease SET owner = NULL, until = '-infinity' WHERE owner = $1",
    }
    assert all(task.done() for task in tasks)


async def test_what_leaves_from_memory_is_counted_as_such(started: Field) -> None:
    before = OUTBOX_SENT.labels("memory")._value.get()

    await started.commit(an_envelope(0), an_envelope(1))

    assert OUTBOX_SENT.labels("memory")._value.get() == before + 2


async def test_a_crash_may_come_right_before_and_right_after_a_commit(
    started: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    points, envelope = Points(), an_envelope(0)
    monkeypatch.setattr(module, "FAULTS", points)

    await started.commit(envelope)
    await asyncio.sleep(0)

    names = ("outbox.before_commit", "outbox.after_commit")
    assert points.passed == [(name, [envelope.id]) for name in names]
