"""Copies what matters out of every service's database: one snapshot each, with server cursors."""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from tools.basalt.check.copies import COPIES, Copy
from tools.basalt.check.evidence import Evidence, Row
from tools.basalt.check.ids import BACKWARD, FORWARD, command_id
from tools.basalt.check.layout import ENDED, LOCKS
from tools.basalt.check.settings import CannotCheck, Limits

BATCH = 2_000
BY_WHICH_SAGAS_ARE_FOUND = (
    *("app_id", "reservation_id", "release_id"),
    *("hold_id", "change_id", "payment_id"),
)
"""Fields of a saga's data under which participants hold something for it."""

CONNECT_TIMEOUT_S = 10
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Database:
    """A service's database, and how to name it without its password."""

    service: str
    url: str

    async def connect(self) -> Any:  # asyncpg is untyped
        """A connection. CannotCheck with the remedy."""
        try:
            return await asyncpg.connect(
                self.url, timeout=CONNECT_TIMEOUT_S, command_timeout=CONNECT_TIMEOUT_S
            )
        except asyncpg.InvalidCatalogNameError:
            raise CannotCheck(
                f"{self.service} has no database there: run python -m chassis.provision, or set"
                " DATABASE_PREFIX"
            ) from None
        except (OSError, TimeoutError, asyncpg.PostgresError, ValueError) as error:
            raise CannotCheck(
                f"the database of {self.service} does not answer ({type(error).__name__}): start"
                f" PostgreSQL, or set POSTGRES_URL or {self.service.upper()}_POSTGRES_URL"
            ) from None


async def gather_service(
    evidence: Evidence, database: Database, limits: Limits, tell: Tell
) -> None:
    """All copies of one service, of one moment. CannotCheck when it does not answer."""
    connection = await database.connect()
    try:
        async with (
            asyncio.timeout(limits.timeout_s),
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            there = await _columns(connection)
            for copy in COPIES:
                if copy.service in (database.service, "*") and copy.fits(there):
                    await _copy(connection, evidence, copy, database.service, limits, tell)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise CannotCheck(
            f"the database of {database.service} broke off ({type(error).__name__}): check that it"
            " is up and try again"
        ) from None
    finally:
        await connection.close(timeout=CONNECT_TIMEOUT_S)


async def _columns(connection: Any) -> set[str]:
    """`table` and `table.column` of everything that is there."""
    rows = await connection.fetch(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = current_schema()"
    )
    return {row[0] for row in rows} | {f"{row[0]}.{row[1]}" for row in rows}


async def _copy(
    connection: Any, evidence: Evidence, copy: Copy, service: str, limits: Limits, tell: Tell
) -> None:
    convert = CONVERT.get(copy.into, _plain)
    total = 0
    async with asyncio.timeout(limits.step_timeout_s):
        query = f"SELECT * FROM ({copy.sql}) AS copied LIMIT {limits.rows_max}"
        rows: list[Any] = []
        async for row in connection.cursor(query, prefetch=BATCH, timeout=limits.step_timeout_s):
            rows.append(row)
            if len(rows) >= BATCH:
                total += _keep(evidence, copy, service, convert(rows, service))
                rows = []
                tell(f"{service}: {total} rows of {copy.into}")
        total += _keep(evidence, copy, service, convert(rows, service))
    if total >= limits.rows_max:
        evidence.say("cut", f"{service}: only {total} rows of {copy.into} were read")


def _keep(evidence: Evidence, copy: Copy, service: str, rows: Iterable[tuple[str, Row]]) -> int:
    tables: dict[str, list[Row]] = {}
    for table, row in rows:
        tables.setdefault(table or copy.into, []).append(row)
    for table, found in tables.items():
        evidence.add(table, found)
    return len(tables.get(copy.into, []))


def _plain(rows: list[Any], service: str) -> Iterable[tuple[str, Row]]:
    for row in rows:
        yield "", tuple(str(value) if isinstance(value, UUID) else value for value in row)


def _inbox(rows: list[Any], service: str) -> Iterable[tuple[str, Row]]:
    """(group, message_id, reply_type, at_ms)"""
    for row in rows:
        yield "inbox", (service, row[0], str(row[1]), row[2], row[3])


def _outbox(rows: list[Any], service: str) -> Iterable[tuple[str, Row]]:
    """(id, topic, key, type, age_s, headers, payload)"""
    for row in rows:
        headers = json.loads(row[5])
        version = headers.get("ce_aggregateversion")
        yield (
            "outbox",
            (
                *(service, str(row[0]), row[1], row[2], row[3], row[4]),
                headers.get("ce_correlationid"),
                headers.get("ce_causationid"),
                headers.get("ce_workspaceid"),
                int(version) if version else None,
                workspace_in(row[6]),
            ),
        )


def _sagas(rows: list[Any], service: str) -> Iterable[tuple[str, Row]]:
    """(id, type, ws, status, phase, version, due_in_s, idle_s, started_ms, cursor, state)"""
    for row in rows:
        state = json.loads(row[10])
        data = state.get("data", {})
        is_open = row[3] not in ENDED
        yield (
            "saga",
            (
                str(row[0]),
                row[1],
                str(row[2]) if row[2] else None,
                *row[3:9],
                state.get("facts", 0),
                " ".join(step[0] for step in state.get("steps", [])),
                data.get("workspace_id"),
                *(data.get(name) for name in BY_WHICH_SAGAS_ARE_FOUND),
                int(is_open),
            ),
        )
        if is_open and row[4] in ("FORWARD", "BACKWARD"):
            for name in LOCKS.get(row[1], ()):
                yield "lock_wanted", (str(row[0]), f"{name}:{data.get(name)}")
            if row[3] != "PAUSED":
                yield from _awaited(row[0], state, row[9])


def _awaited(saga_id: UUID, state: Any, cursor: int) -> Iterable[tuple[str, Row]]:
    """The commands whose answers are awaited: under their present id, and under the one before,
    for a command that was refused goes out under a new one only after a while."""
    old_rounds = int(state.get("rounds", 0))  # one for the saga, in rows of before
    for index, step in enumerate(state.get("steps", [])):
        mark, attempts, rounds = [*step, 0][:3]
        if mark not in ("sent", "compensating") or not attempts:
            continue
        rounds = int(rounds or 0) or (old_rounds if index == cursor else 0)
        direction = FORWARD if mark == "sent" else BACKWARD
        now, before = (
            str(command_id(UUID(str(saga_id)), index, direction, number))
            for number in (rounds, max(0, rounds - 1))
        )
        yield "awaited", (str(saga_id), index, now, before)


def workspace_in(body: bytes) -> str | None:
    """The `workspace_id` in a message's JSON, if it says one."""
    try:
        found = json.loads(body)
    except (ValueError, UnicodeDecodeError):
        return None
    said = found.get("workspace_id") if isinstance(found, dict) else None
    return said if isinstance(said, str) else None


CONVERT: dict[str, Callable[[list[Any], str], Iterable[tuple[str, Row]]]] = {
    "inbox": _inbox,
    "outbox": _outbox,
    "saga": _sagas,
}
