"""Views of long work: one operation, a workspace's operations, newest first."""

from uuid import UUID

from chassis.context import Context
from chassis.doors.http import Answer, Execute
from chassis.errors import FieldError, InvalidMessage, Rejected
from chassis.stores.postgres import Database
from chassis.work.rows import CANCELLABLE, COLUMNS, operation_of
from contracts.base import Command, Message, Query
from contracts.operation import (
    CancelOperation,
    GetOperation,
    ListOperations,
    Operation,
    OperationNotCancellable,
    OperationPage,
    OperationState,
    OperationUnknown,
)

_LIMIT_MAX = 200
_CANCEL = f"""
UPDATE operation SET state = 'COMPENSATED', finished_at = now(), updated_at = now(),
    version = version + 1, step = '', lease_owner = NULL
WHERE workspace_id = $1 AND operation_id = $2 AND {CANCELLABLE}
"""  # noqa: S608


def get_operation(database: Database, owner: str) -> Answer:
    """Answers GetOperation. Refuses with OperationUnknown."""

    async def answer(query: Query[Message], context: Context) -> Message:
        assert isinstance(query, GetOperation), "the door knows what it takes"
        return await _find(database, owner, query.workspace_id, query.operation_id)

    return answer


def list_operations(database: Database, owner: str) -> Answer:
    """Answers ListOperations. The cursor is the last operation's id: ids sort by birth."""

    async def answer(query: Query[Message], context: Context) -> Message:
        assert isinstance(query, ListOperations), "the door knows what it takes"
        limit = max(1, min(query.limit, _LIMIT_MAX))
        rows = await database.fetch(
            f"SELECT {COLUMNS} FROM operation WHERE workspace_id = $1"  # noqa: S608
            " AND ($2::uuid IS NULL OR operation_id < $2) ORDER BY operation_id DESC LIMIT $3",
            query.workspace_id,
            _cursor(query.cursor),
            limit + 1,
        )
        found = [operation_of(row, owner) for row in rows[:limit]]
        more = str(found[-1].operation_id) if len(rows) > limit else ""
        return OperationPage(operations=found, cursor_next=more)

    return answer


def cancel_operation(database: Database, owner: str) -> Execute:
    """Answers CancelOperation. Work writes nothing but immutable bodies before its final command,
    so there is nothing to undo: the worker loses its lease and stops. Refuses when the final
    command is on its way, or the work has ended otherwise."""

    async def execute(
        command: Command[Message],
        context: Context,
        command_id: UUID,
        *,
        traceparent: str = "",
        deadline_ms: int | None = None,
    ) -> Message:
        assert isinstance(command, CancelOperation), "the door knows what it takes"
        await database.execute(_CANCEL, command.workspace_id, command.operation_id)
        operation = await _find(database, owner, command.workspace_id, command.operation_id)
        if operation.state is OperationState.COMPENSATED:
            return operation
        raise Rejected(
            OperationNotCancellable(operation_id=operation.operation_id, state=operation.state)
        )

    return execute


async def _find(
    database: Database, owner: str, workspace_id: UUID, operation_id: UUID
) -> Operation:
    row = await database.fetchrow(
        f"SELECT {COLUMNS} FROM operation WHERE workspace_id = $1 AND operation_id = $2",  # noqa: S608
        workspace_id,
        operation_id,
    )
    if row is None:
        raise Rejected(OperationUnknown(operation_id=operation_id))
    return operation_of(row, owner)


def _cursor(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise InvalidMessage([FieldError("cursor", "uuid", "not a cursor of ours")]) from None
