"""Sagas as operators see them: of every workspace, with history, locks and timers."""

from uuid import UUID

from chassis.errors import Rejected
from chassis.observability.redaction import masked
from chassis.saga.batch import lock_keys
from chassis.saga.codec import COLUMNS, state_of
from chassis.saga.state import SagaState
from chassis.stores.postgres import Database
from contracts.orchestrator.operating import (
    GetSaga,
    ListSagas,
    SagaDetails,
    SagaEntry,
    SagaPage,
    SagaUnknown,
)
from services.orchestrator.model import definition_of, steps_of, summary_of
from services.orchestrator.store import MATCHES, Wanted, arguments_of
from services.orchestrator.views.operations import cursor_of

HISTORY_MAX = 2_000
"""Transitions that are shown, the newest: a saga that waits for days repeats itself."""


async def list_sagas(query: ListSagas, database: Database) -> SagaPage:
    """The cursor is the last saga's id: ids are in the order of their start."""
    wanted = Wanted(query.kind, query.status, query.subject_id, query.step, stuck=query.stuck)
    rows = await database.fetch(
        f"SELECT {COLUMNS} FROM saga_instance WHERE {MATCHES}"  # noqa: S608
        " AND ($10::uuid IS NULL OR id < $10) ORDER BY id DESC LIMIT $11",
        *arguments_of(wanted),
        cursor_of(query.cursor),
        query.limit + 1,
    )
    sagas = [summary_of(state_of(row)) for row in rows[: query.limit]]
    more = len(rows) > query.limit
    return SagaPage(sagas=sagas, cursor_next=str(sagas[-1].saga_id) if more else "")


async def get_saga(query: GetSaga, database: Database) -> SagaDetails:
    """Its fields as a log line would have them: without a payment token, for one."""
    row = await database.fetchrow(
        f"SELECT {COLUMNS} FROM saga_instance WHERE id = $1",  # noqa: S608
        query.saga_id,
    )
    if row is None:
        raise Rejected(SagaUnknown(saga_id=query.saga_id))
    state = state_of(row)
    keys = lock_keys(definition_of(state), state.data)
    return SagaDetails(
        saga=summary_of(state),
        steps=steps_of(state),
        history=await _history(database, state.id),
        fields=masked(state.data),
        error=masked(state.error),
        lock_keys=keys,
        ahead=await _ahead(database, state, keys),
    )


async def _history(database: Database, saga_id: UUID) -> list[SagaEntry]:
    rows = await database.fetch(
        "SELECT version, at, happened, step, reason FROM saga_event WHERE saga_id = $1"
        " ORDER BY version DESC LIMIT $2",
        saga_id,
        HISTORY_MAX,
    )
    return [
        SagaEntry(version=row[0], at=row[1], happened=row[2], step=row[3], reason=row[4])
        for row in reversed(rows)
    ]


async def _ahead(database: Database, state: SagaState, keys: list[str]) -> list[UUID]:
    """Who stands before it in the queues of its locks."""
    rows = await database.fetch(
        "SELECT DISTINCT q.saga_id FROM entity_lock AS l,"
        " unnest(l.queue) WITH ORDINALITY AS q(saga_id, place)"
        " WHERE l.key = ANY($1::text[]) AND q.place < array_position(l.queue, $2)"
        " ORDER BY q.saga_id",
        keys,
        state.id,
    )
    return [row[0] for row in rows]


VIEWS = (list_sagas, get_saga)
