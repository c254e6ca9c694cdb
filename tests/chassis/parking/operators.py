"""Operators of tests: a desk, and what they say at it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chassis.context import Context
from chassis.stores.postgres import Database
from contracts.deadletter import DiscardDeadLetters, RedriveDeadLetters

POISON = UUID(int=666)
DAY_S = 86_400.0
ANN = Context(None, None, "operator", datetime.max.replace(tzinfo=UTC))


def a_redrive(*letter_ids: UUID, **fields: Any) -> RedriveDeadLetters:  # of the contract
    given = {"letter_ids": letter_ids, "preview": False, "operator": "ann", "reason": "mended"}
    return RedriveDeadLetters.model_validate(given | fields)


def a_discard(*letter_ids: UUID, **fields: Any) -> DiscardDeadLetters:  # of the contract
    given = {"letter_ids": letter_ids, "preview": False, "operator": "ann", "reason": "a test"}
    return DiscardDeadLetters.model_validate(given | fields)


async def acts(database: Database) -> list[tuple[str, str, str]]:
    rows = await database.fetch("SELECT act, by, why FROM dead_letter_act ORDER BY at")
    return [tuple(row) for row in rows]
