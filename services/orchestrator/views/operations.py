"""Operations: one, or a workspace's, newest first."""

from uuid import UUID

from chassis.errors import FieldError, InvalidMessage, Rejected
from chassis.saga.codec import COLUMNS, state_of
from chassis.stores.postgres import Database
from contracts.operation import (
    GetOperation,
    ListOperations,
    Operation,
    OperationPage,
    OperationUnknown,
)
from services.orchestrator.model import operation_of

LIMIT_MAX = 200


async def get_operation(query: GetOperation, database: Database) -> Operation:
    """Refused with OperationUnknown, also when it is another workspace's."""
    row = await database.fetchrow(
        f"SELECT {COLUMNS} FROM saga_instance WHERE id = $1 AND workspace_id = $2",  # noqa: S608
        query.operation_id,
        query.workspace_id,
    )
    if row is None:
        raise Rejected(OperationUnknown(operation_id=query.operation_id))
    return operation_of(state_of(row))


async def list_operations(query: ListOperations, database: Database) -> OperationPage:
    """The cursor is the last operation's id: ids are in the order of their start."""
    limit = max(1, min(query.limit, LIMIT_MAX))
    rows = await database.fetch(
        f"SELECT {COLUMNS} FROM saga_instance WHERE workspace_id = $1"  # noqa: S608
        " AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        query.workspace_id,
        cursor_of(query.cursor),
        limit + 1,
    )
    operations = [operation_of(state_of(row)) for row in rows[:limit]]
    more = len(rows) > limit
    return OperationPage(
        operations=operations, cursor_next=str(operations[-1].operation_id) if more else ""
    )


def cursor_of(text: str) -> UUID | None:
    """The id in a page's cursor. Raises InvalidMessage."""
    try:
        return UUID(text) if text else None
    except ValueError:
        fault = FieldError("cursor", "cursor", "not one that a page gave")
        raise InvalidMessage([fault]) from None


VIEWS = (get_operation, list_operations)
