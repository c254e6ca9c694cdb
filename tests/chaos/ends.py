"""How sagas ended: asked of the table, not of a service, so it answers while that one is dead."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from tests.chaos.cases import ORCHESTRATOR
from tests.chaos.platform import ChaosPlatform

ENDED_S = 90.0
POLL_S = 0.15
TERMINAL = ("COMPLETED", "COMPENSATED", "ABANDONED")
_SQL = "SELECT id, status FROM saga_instance WHERE id = ANY($1::uuid[])"
_AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


async def statuses_at_the_end(
    platform: ChaosPlatform,
    saga_ids: Sequence[UUID],
    timeout_s: float = ENDED_S,
    wanted: Sequence[str] = TERMINAL,
) -> list[str]:
    """Their statuses, once all have ended (or are as wanted) or the time is up; "?" for what
    nobody knows."""
    found = ["?"] * len(saga_ids)
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                found = await _statuses(platform, saga_ids)
                if all(status in wanted for status in found):
                    return found
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        return found


async def _statuses(platform: ChaosPlatform, saga_ids: Sequence[UUID]) -> list[str]:
    try:
        connection = await asyncpg.connect(platform.database_url(ORCHESTRATOR), timeout=5)
        try:
            rows = await connection.fetch(_SQL, list(saga_ids), timeout=5)
        finally:
            await connection.close(timeout=5)
    except _AWAY:
        return ["?"] * len(saga_ids)
    statuses = {row["id"]: row["status"] for row in rows}
    return [statuses.get(saga_id, "?") for saga_id in saga_ids]
