"""The payment provider as a process of the outside world, on a network that loses answers.

It is the development provider's own code (infra/dev/payments.py) on SQLite in memory, stricter in
one thing, as a provider may be: a capture under another idempotency key is another capture.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import orjson

from chassis.errors import Unanswered
from chassis.testing.simulation.faults import SimLink
from chassis.transport import RawAnswer
from infra.dev.payments import Answer, Json, Provider, Refusal


class StrictProvider(Provider):
    """Everything in memory; money is taken as often as it is asked for under a new key."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:")
        self._db.row_factory = sqlite3.Row
        self._captures: dict[str, set[str]] = {}
        super().__init__(Path())

    def answer(self, path: str, body: Json, key: str) -> tuple[Answer | None, int]:
        """What is said, and the HTTP status."""
        verb, payment = path.removeprefix("/payments/"), str(body["key"])
        try:
            found = self.take(verb, body)
        except Refusal as refusal:
            return None, refusal.status
        if verb == "capture":
            captures = self._captures.setdefault(payment, set())
            if found.payment["state"] == "captured" and captures and key not in captures:
                with self._transaction() as db:
                    self._effect(db, payment, "captured", found.payment["amount_minor"])
            captures.add(key)
        return found, 200

    def all_effects(self) -> dict[str, list[str]]:
        """What was really done, by payment."""
        found: dict[str, list[str]] = {}
        for key, what in self._db.execute("SELECT key, what FROM effect ORDER BY seq"):
            found.setdefault(key, []).append(what)
        return found

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._db
        finally:
            self._db.commit()


class SimTransport:
    """A process's way to the provider."""

    def __init__(self, provider: StrictProvider, link: SimLink) -> None:
        self._provider, self._link = provider, link

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        asked, key = orjson.loads(body), headers.get("idempotency-key", "")
        answer, status = await self._link.outside(
            path, lambda: self._provider.answer(path, asked, key)
        )
        if answer is None:
            return RawAnswer(status, b"{}")
        if answer.lost:
            raise Unanswered("payments: simulated")
        said = {name: value for name, value in answer.payment.items() if name != "token"}
        return RawAnswer(status, orjson.dumps(said))

    async def close(self) -> None:
        """There is nothing to close."""
