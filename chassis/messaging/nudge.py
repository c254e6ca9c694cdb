"""Nudges: tell the replica that holds a shard that rows of its wait. A hint, never a guarantee.

NOTIFY takes a lock across the whole server at commit, so it never runs inside a transaction of
ours: a connection of its own sends many shards at once.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import structlog

from chassis.clock import Clock
from chassis.errors import Unavailable
from chassis.stores.postgres import Database

log = structlog.get_logger()

_CHANNEL = "basalt_outbox"
_COALESCE_S = 0.003
_RECONNECT_S = 0.5
_SILENCE_S = 20.0  # then ask whether the connection still lives


class Nudges:
    """One connection that both listens and notifies. `heard` gets shards; None: maybe all."""

    def __init__(
        self, database: Database, clock: Clock, heard: Callable[[Iterable[int] | None], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._heard = heard
        self._waiting: set[int] = set()
        self._wake = asyncio.Event()

    def send(self, shards: Iterable[int]) -> None:
        """Nudge whoever holds these shards, soon."""
        self._waiting |= set(shards)
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled. Reconnects by itself; after each connect everything may be news."""
        while True:
            try:
                async with self._database.acquire() as connection:
                    await self._serve(connection)
            except Unavailable as error:
                log.warning("nudges_interrupted", error=str(error))
            await self._clock.sleep(_RECONNECT_S)

    async def _serve(self, connection: Any) -> None:  # asyncpg is untyped
        await connection.add_listener(_CHANNEL, self._receive)
        lost = asyncio.Event()

        def on_lost(*_: object) -> None:
            lost.set()
            self._wake.set()

        connection.add_termination_listener(on_lost)
        self._heard(None)
        try:
            while not lost.is_set():
                try:
                    async with asyncio.timeout(_SILENCE_S):
                        await self._wake.wait()
                except TimeoutError:
                    await connection.execute("SELECT 1")
                    continue
                if lost.is_set():
                    return
                await self._clock.sleep(_COALESCE_S)
                self._wake.clear()
                shards, self._waiting = self._waiting, set()
                if shards:
                    text = ",".join(map(str, sorted(shards)))
                    await connection.execute(f"SELECT pg_notify('{_CHANNEL}', '{text}')")
        finally:
            if not connection.is_closed():
                await connection.remove_listener(_CHANNEL, self._receive)

    def _receive(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        self._heard([int(part) for part in payload.split(",") if part])
