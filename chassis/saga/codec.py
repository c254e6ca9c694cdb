"""A saga's state to and from its row: searchable columns, and one JSON body for the rest."""

from datetime import datetime
from typing import Any

import orjson

from chassis.clock import uuid_of_text
from chassis.saga.state import Phase, SagaState, Status, StepMark, StepState

COLUMNS = (
    "id, type, definition_version, workspace_id, status, phase, cursor, version, deadline_at,"
    " traceparent, started_at, updated_at, state::text AS state, business_key"
)
"""What `state_of` reads, in this order, from saga_instance."""

_STATUS = {status.value: status for status in Status}
_PHASE = {phase.value: phase for phase in Phase}
_MARK = {mark.value: mark for mark in StepMark}


def body_of(state: SagaState) -> str:
    """The JSON body: what no query searches by."""
    return orjson.dumps(
        {
            "data": state.data,
            "steps": [
                [step.mark, step.attempts, step.rounds, step.due]
                if step.due or step.rounds
                else [step.mark, step.attempts]
                for step in state.steps
            ],
            "facts": state.facts,
            "wake_at": state.wake_at,
            "error_type": state.error_type,
            "error": state.error,
            "actor_id": None if state.actor_id is None else str(state.actor_id),
        }
    ).decode()


def state_of(row: Any) -> SagaState:  # an asyncpg record: untyped
    """The state in a row of COLUMNS."""
    body = orjson.loads(row[12])
    wake_at, actor = body["wake_at"], body["actor_id"]
    return SagaState(
        id=row[0],
        saga=row[1],
        definition_version=row[2],
        workspace_id=row[3],
        actor_id=uuid_of_text(actor) if actor else None,
        started_at=row[10],
        updated_at=row[11],
        deadline_at=row[8],
        wake_at=datetime.fromisoformat(wake_at) if wake_at else None,
        data=body["data"],
        steps=[_step(*step) for step in body["steps"]],
        status=_STATUS[row[4]],
        phase=_PHASE[row[5]],
        cursor=row[6],
        version=row[7],
        facts=body["facts"],
        error_type=body["error_type"],
        error=body["error"],
        business_key=row[13],
        traceparent=row[9],
    )


def _step(mark: str, attempts: int, rounds: int = 0, due: str | None = None) -> StepState:
    return StepState(_MARK[mark], attempts, rounds, datetime.fromisoformat(due) if due else None)
