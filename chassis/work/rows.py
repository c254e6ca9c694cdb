"""Rows of the table `operation`, and the contract that callers see."""

import asyncio
from typing import Any

from chassis.wiring import Wiring
from contracts.operation import Operation

_PLAIN = (
    "operation_id, workspace_id, kind, subject_id, state, step, done, total, result, error_type,"
    " error, version, started_at, updated_at, finished_at"
)
CANCELLABLE = "finished_at IS NULL AND command_type = ''"
"""Its pivot is the final command: once that is kept, it is carried out."""

COLUMNS = f"{_PLAIN}, ({CANCELLABLE}) AS cancellable"


def operation_of(row: Any, owner: str) -> Operation:  # an asyncpg record, which is untyped
    """The snapshot that callers get."""
    return Operation(owner=owner, **dict(row))


class Bell:
    """Wakes the workers of this process when a handler has begun something.

    It rings before the commit, so a worker that finds nothing looks again a little later.
    """

    def __init__(self) -> None:
        self.rung = 0
        self._event = asyncio.Event()

    def ring(self) -> None:
        """There will be something to do."""
        self.rung += 1
        self._event.set()

    async def listen(self, heard: int, seconds: float) -> None:
        """Until it has rung more than `heard` times, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                while self.rung == heard:
                    self._event.clear()
                    await self._event.wait()
        except TimeoutError:
            return


BELL = "work-bell"


def bell_of(wiring: Wiring) -> Bell:
    """The service's bell, made on first use."""
    bell: Bell = wiring.resources.opened.setdefault(BELL, Bell())
    return bell
