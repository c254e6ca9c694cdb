"""The orchestrator's tables are the engine's: see chassis.saga and the migrations."""

from dataclasses import dataclass

from chassis.saga.book import SagaBook
from chassis.saga.codec import COLUMNS, state_of
from chassis.saga.state import SagaState
from services.orchestrator.model import DEFINITIONS, announce, cursors_of

OVERDUE_S = 30
"""A wake-up that is this late counts as stuck: the timers look four times a second."""


@dataclass(frozen=True)
class Wanted:
    """Which sagas; what is empty does not count. `stuck`: needs attention, or is overdue."""

    kind: str = ""
    status: str = ""
    subject_id: str = ""
    step: str = ""
    error_type: str = ""
    stuck: bool = False


MATCHES = f"""
    ($1 = '' OR type = $1) AND ($2 = '' OR status = $2) AND ($3 = '' OR business_key = $3)
    AND ($4 = '' OR (type, definition_version, cursor) IN
        (SELECT * FROM unnest($5::text[], $6::int[], $7::int[])))
    AND ($8 = '' OR state ->> 'error_type' = $8)
    AND (NOT $9 OR (next_wake_at IS NOT NULL AND (status = 'NEEDS_ATTENTION'
        OR next_wake_at < now() - interval '{OVERDUE_S} seconds')))
"""  # noqa: S608  # its only insertion is a constant
"""The condition on saga_instance for `arguments_of`, $1 to $9."""


def arguments_of(wanted: Wanted) -> list[object]:
    """What MATCHES takes."""
    places = cursors_of(wanted.step)
    return [
        wanted.kind,
        wanted.status,
        wanted.subject_id,
        wanted.step,
        [kind for kind, _, _ in places],
        [version for _, version, _ in places],
        [cursor for _, _, cursor in places],
        wanted.error_type,
        wanted.stuck,
    ]


class SqlSagas(SagaBook):
    """Fulfils Sagas."""

    definitions = DEFINITIONS
    announcer = staticmethod(announce)

    async def troubled(self, kind: str, step: str, error_type: str, limit: int) -> list[SagaState]:
        """Sagas that need attention, the oldest first, at most `limit` and one more."""
        wanted = Wanted(kind, "NEEDS_ATTENTION", step=step, error_type=error_type)
        rows = await self.resources.database.fetch(
            f"SELECT {COLUMNS} FROM saga_instance WHERE next_wake_at IS NOT NULL AND {MATCHES}"  # noqa: S608
            " ORDER BY id LIMIT $10",
            *arguments_of(wanted),
            limit + 1,
        )
        found = [state_of(row) for row in rows]
        for state in found:
            self._states.setdefault(state.id, state)
        return [self._states[state.id] for state in found]
