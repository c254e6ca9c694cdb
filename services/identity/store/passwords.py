"""Argon2id, in threads of its own: it releases the interpreter's lock and takes memory on purpose.

Only so many run at one time, only so many wait, and none for long.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from chassis.errors import Unavailable
from chassis.resources import Resources
from services.identity.model.passwords import normal_password

T = TypeVar("T")

RETRY_AFTER_SECONDS = 1.0


class Argon2Passwords:
    """One for the process. See services.identity.model.passwords.Passwords."""

    def __init__(self, resources: Resources) -> None:
        settings = resources.settings
        self._hasher = PasswordHasher(
            time_cost=settings.password_hash_passes,
            memory_cost=settings.password_hash_memory_kib,
            parallelism=1,
            type=Type.ID,
        )
        self._threads = ThreadPoolExecutor(settings.password_threads_max, "argon2")
        self._places = asyncio.Semaphore(settings.password_threads_max)
        self._waiting, self._waiting_max = 0, settings.password_queue_max
        self._wait_seconds = settings.password_wait_ms / 1000
        # Compared with when nobody has the address: an answer that takes as long.
        self._nobody = self._hasher.hash("nobody's password")

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold one of the places. Raises Unavailable when too many wait, or for too long."""
        if self._waiting >= self._waiting_max:
            raise Unavailable("passwords: too many wait", retry_after=RETRY_AFTER_SECONDS)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._places.acquire()
        except TimeoutError:
            raise Unavailable(
                "passwords: no turn in time", retry_after=RETRY_AFTER_SECONDS
            ) from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._places.release()

    async def hash(self, password: str) -> str:
        """A fresh salted hash."""
        return await self._run(lambda: self._hasher.hash(normal_password(password)))

    async def matches(self, password: str, password_hash: str | None) -> bool:
        """Compare. None takes as long, and is False."""
        known = self._nobody if password_hash is None else password_hash
        same = await self._run(lambda: self._verify(known, normal_password(password)))
        return same and password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        """Whether it was made with other costs than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
