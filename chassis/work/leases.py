"""Leases of long work: who does it, until when, and how it ended. All writes are fenced."""

from datetime import timedelta
from typing import Any

from chassis.clock import Clock, new_id
from chassis.observability.metrics import WORK
from chassis.stores.postgres import Database
from chassis.work.job import Job, LeaseLost
from contracts.base import Message, Rejection
from contracts.operation import OperationState

_CLAIM = """
UPDATE operation SET lease_owner = $1, lease_until = now() + $2, attempts = attempts + 1
WHERE operation_id = (
    SELECT operation_id FROM operation
    WHERE finished_at IS NULL AND kind = ANY($3::text[]) AND state = 'RUNNING'
      AND (lease_until IS NULL OR lease_until < now())
    ORDER BY started_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING operation_id, workspace_id, kind, subject_id, input, actor_id, attempts, traceparent,
    done, total, step, command_type, command
"""


class WorkLeases:
    """The table, to this process's workers. Raises LeaseLost when another one has the row."""

    def __init__(self, database: Database, clock: Clock, lease_s: float) -> None:
        self._database = database
        self._clock = clock
        self._lease = timedelta(seconds=lease_s)

    async def claim(self, kinds: list[str]) -> tuple[Job, str, str] | None:
        """The oldest work that nobody does, with its final command (type and JSON) when an
        earlier attempt got so far. None when there is nothing to do."""
        lease = str(new_id())
        row = await self._database.fetchrow(_CLAIM, lease, self._lease, kinds)
        if row is None:
            return None
        job = Job(
            operation_id=row["operation_id"],
            workspace_id=row["workspace_id"],
            kind=row["kind"],
            subject_id=row["subject_id"],
            input=row["input"],
            actor_id=row["actor_id"],
            attempt=row["attempts"],
            lease=lease,
            traceparent=row["traceparent"],
            clock=self._clock,
            writes=self,
            done=row["done"],
            total=row["total"],
            step=row["step"],
        )
        return job, row["command_type"], row["command"]

    async def prolong(self, job: Job) -> None:
        """Keep the lease."""
        await self._fenced(job, "lease_until = now() + $3", self._lease)

    async def write(self, job: Job) -> None:
        """Progress; prolongs the lease too."""
        await self._fenced(
            job,
            "done = $3, total = $4, step = $5, version = version + 1, updated_at = now(),"
            " lease_until = now() + $6",
            job.done,
            job.total,
            job.step,
            self._lease,
        )

    async def promise(self, job: Job, command: Message) -> None:
        """Keep the final command: from now on the work is only to carry it out."""
        await self._fenced(
            job,
            "command_type = $3, command = $4, updated_at = now()",
            command.address.type,
            command.model_dump_json(),
        )

    async def complete(self, job: Job, answer: Message) -> None:
        """It is done; the answer's fields are its result."""
        await self._end(job, OperationState.COMPLETED, result=answer.model_dump(mode="json"))

    async def refuse(self, job: Job, rejection: Rejection) -> None:
        """The business says no: final."""
        await self._end(
            job,
            OperationState.REFUSED,
            error_type=rejection.address.type,
            error=rejection.model_dump(mode="json"),
        )

    async def give_back(self, job: Job, seconds: float, *, burned: bool) -> None:
        """Somebody shall try again, not before `seconds` from now."""
        await self._fenced(
            job,
            "lease_owner = NULL, lease_until = now() + $3, attempts = attempts - $4",
            timedelta(seconds=seconds),
            0 if burned else 1,
        )

    async def need_attention(self, job: Job, trace_id: str) -> None:
        """It keeps failing: a person must look. Not an end: setting its state back to RUNNING
        begins it again."""
        await self._fenced(
            job,
            "state = 'NEEDS_ATTENTION', error_type = 'internal', error = $3,"
            " lease_owner = NULL, attempts = 0, version = version + 1, updated_at = now()",
            {"trace_id": trace_id},
        )
        WORK.labels(job.kind, OperationState.NEEDS_ATTENTION).inc()

    async def _end(
        self,
        job: Job,
        state: OperationState,
        *,
        result: dict[str, Any] | None = None,  # JSON
        error_type: str = "",
        error: dict[str, Any] | None = None,  # JSON
    ) -> None:
        await self._fenced(
            job,
            "state = $3, result = $4, error_type = $5, error = $6, finished_at = now(),"
            " updated_at = now(), version = version + 1, lease_owner = NULL, step = '',"
            " done = CASE WHEN $3 = 'COMPLETED' THEN total ELSE done END, command = ''",
            str(state),
            result or {},
            error_type,
            error or {},
        )
        WORK.labels(job.kind, state).inc()

    async def _fenced(self, job: Job, assignments: str, *args: object) -> None:
        """The assignments are this file's own text, never input."""
        tag = await self._database.execute(
            f"UPDATE operation SET {assignments} WHERE operation_id = $1 AND lease_owner = $2",  # noqa: S608
            job.operation_id,
            job.lease,
            *args,
        )
        if tag != "UPDATE 1":
            raise LeaseLost(str(job.operation_id))
