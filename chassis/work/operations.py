"""Operations: how a handler begins long work, in its own transaction."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from chassis.context import current_actor_id
from chassis.errors import Conflict
from chassis.messaging.tracing import current_traceparent
from chassis.resources import Resources
from chassis.stores.chunks import ChunkStore
from chassis.stores.statement import Reading, Row, Statement
from chassis.work.rows import BELL
from contracts.operation import Operation, OperationState


class Operations(ChunkStore):
    """Long work that this chunk begins. The command's `operation_id` identifies it: the same one
    again gives what there is, and begins nothing."""

    key_field = "operation_id"

    def __init__(self, resources: Resources) -> None:
        super().__init__(resources)
        self._known: dict[UUID, Operation] = {}
        self._new: dict[UUID, tuple[Operation, bytes, UUID | None, str]] = {}

    def begin(
        self,
        *,
        operation_id: UUID,
        kind: str,
        workspace_id: UUID,
        subject_id: str = "",
        input: Mapping[str, Any],  # JSON, for the worker
        actor_id: UUID | None = None,
    ) -> Operation:
        """Begin work of a `kind` that the service has a worker for. Raises Conflict when the id
        is taken by work of another workspace or kind."""
        known = self._known.get(operation_id)
        if known is not None:
            if (known.workspace_id, known.kind) != (workspace_id, kind):
                raise Conflict(f"operation {operation_id} is something else")
            return known
        now = self.resources.clock.now()
        operation = Operation(
            operation_id=operation_id,
            workspace_id=workspace_id,
            kind=kind,
            owner=self.resources.service,
            state=OperationState.RUNNING,
            subject_id=subject_id,
            cancellable=True,
            started_at=now,
            updated_at=now,
        )
        self._known[operation_id] = operation
        body = orjson.dumps(dict(input), default=str)
        actor_id = actor_id or current_actor_id()
        self._new[operation_id] = (operation, body, actor_id, current_traceparent())
        return operation

    def reads(self, reading: Reading, keys: Sequence[str]) -> None:
        reading.add(
            "SELECT operation_id::text, done, total, kind || ' ' || state,"
            " jsonb_build_object('workspace_id', workspace_id, 'subject_id', subject_id,"
            " 'step', step, 'result', result, 'error_type', error_type, 'error', error,"
            " 'version', version, 'started_at', started_at, 'updated_at', updated_at,"
            " 'finished_at', finished_at, 'cancellable',"
            " finished_at IS NULL AND command_type = '')::text"
            " FROM operation WHERE operation_id = ANY({}::uuid[])",
            [UUID(key) for key in keys],
            into=self._load,
        )

    def snapshot(self) -> object:
        return dict(self._known), dict(self._new)

    def restore(self, snapshot: object) -> None:
        self._known, self._new = snapshot  # type: ignore[misc]  # what `snapshot` gave

    def flush(self, statement: Statement) -> None:
        if not self._new:
            return
        begun = list(self._new.values())
        statement.add(
            "INSERT INTO operation (operation_id, workspace_id, kind, subject_id, state, input,"
            " actor_id, traceparent, started_at, updated_at)"
            " SELECT id, workspace_id, kind, subject_id, 'RUNNING', input::jsonb, actor_id,"
            " traceparent, at, at FROM unnest({}::uuid[], {}::uuid[], {}::text[], {}::text[],"
            " {}::text[], {}::uuid[], {}::text[], {}::timestamptz[])"
            " AS u(id, workspace_id, kind, subject_id, input, actor_id, traceparent, at)",
            [operation.operation_id for operation, *_ in begun],
            [operation.workspace_id for operation, *_ in begun],
            [operation.kind for operation, *_ in begun],
            [operation.subject_id for operation, *_ in begun],
            [body.decode() for _, body, _, _ in begun],
            [actor_id for *_, actor_id, _ in begun],
            [traceparent for *_, traceparent in begun],
            [operation.started_at for operation, *_ in begun],
        )
        bell = self.resources.opened.get(BELL)
        if bell is not None:
            bell.ring()

    def _load(self, rows: list[Row]) -> None:
        for operation_id, done, total, about, body in rows:
            kind, _, state = (about or "").rpartition(" ")
            self._known[UUID(operation_id)] = Operation(
                operation_id=UUID(operation_id),
                kind=kind,
                state=OperationState(state),
                owner=self.resources.service,
                done=done or 0,
                total=total or 0,
                **orjson.loads(body or "{}"),
            )
