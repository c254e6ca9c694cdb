"""Evidence: what was gathered of all stores, in a SQLite database of the checker's own.

On disk, so that its size does not depend on memory; joins across services become plain SQL.
Ids are text, times are unix milliseconds. `kind` of a record: fact, command, reply or other.
"""

import sqlite3
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

TABLES: dict[str, str] = {
    "topic": "name, kind, part INTEGER, begin INTEGER, read_from INTEGER, next INTEGER",
    "record": (
        "topic, part INTEGER, off INTEGER, at_ms INTEGER, kind, key, id, type, ws,"
        " version INTEGER, corr, cause, reply_to, body, body_ws, effect"
    ),
    "letter": "grp, reason, topic, part INTEGER, off INTEGER, id",
    "committed": "grp, topic, part INTEGER, off INTEGER",
    "outbox": (
        "service, id, topic, key, type, age_s REAL, corr, cause, ws, version INTEGER, body_ws"
    ),
    "inbox": "service, grp, id, answer_type, at_ms INTEGER",
    "parked": "grp, id, topic, part INTEGER, off INTEGER, at_ms INTEGER, state",
    "pending": "grp, id",
    "aggregate": "service, tbl, topic, id, ws, version INTEGER, mortal INTEGER",
    "saga": (
        "id, type, ws, status, phase, version INTEGER, due_in_s REAL, idle_s REAL,"
        " started_ms INTEGER, facts INTEGER, marks, body_ws, app_id, reservation_id, release_id,"
        " hold_id, change_id, payment_id, open INTEGER"
    ),
    "awaited": "saga_id, step INTEGER, id, before",
    "history": (
        "saga_id, lines INTEGER, first INTEGER, last INTEGER, version INTEGER, story, status"
    ),
    "lock": "key, place INTEGER, saga_id",
    "lock_wanted": "saga_id, key",
    "reservation": "ws, id, app_id, units INTEGER",
    "consumption": "ws, app_id, units INTEGER, pointer_version INTEGER",
    "account": "id, ws, state",
    "freeze": "ws, app_id, release_id",
    "pointer": "ws, app_id, environment, release_id, version INTEGER",
    "delivery_app": "id, ws",
    "release": "id, app_id, ws, environment, standing, bundle",
    "bundle_file": "ws, bundle",
    "studio_app": "id, ws, head_digest",
    "revision": "id, ws, app_id, digest",
    "entity_app": "app_id, ws, entities INTEGER",
    "shelf": "id, ws, app_id",
    "workspace": "id, ws, state",
    "feed": "id, ws, type, subject, version INTEGER",
    "content": "collection, id, state, of",
    "blob": "ws, digest, state",
    "posting": "id, ws, kind, change_id, payment_id, entries INTEGER",
    "entry": "posting_id, ws, account, currency, amount INTEGER",
    "payment": "id, ws, change_id, state, amount INTEGER, currency",
    "plan_change": "id, ws, state",
    "credit": "ws, currency, amount INTEGER",
    "hold": "what, id, ws",
    "about": "name, value",
}
INDEXES = (
    "record (id)",
    "record (topic, key, part, off)",
    "record (cause) WHERE cause IS NOT NULL",
    "record (topic, part, off)",
    "inbox (grp, id)",
    "outbox (id)",
    "outbox (cause)",
    "saga (id)",
    "saga (reservation_id)",
    "saga (release_id)",
    "saga (hold_id)",
    "saga (change_id)",
    "saga (payment_id)",
    "entry (posting_id)",
    "entry (account, ws)",
    "posting (id)",
    "feed (id)",
    "letter (grp, topic, part, off)",
    "parked (grp, topic, part, off)",
    "parked (id)",
    "studio_app (id)",
    "delivery_app (id)",
    "release (id)",
    "content (collection, id)",
    "aggregate (topic, id)",
)
KEPT_BETWEEN_LOOKS = frozenset({"record", "letter", "topic", "about"})
"""Topics only grow: the second look reads on where the first one ended."""

Row = tuple[Any, ...]  # as SQLite gives it


class Evidence:
    """Use it as a context manager: it removes its file."""

    def __init__(self) -> None:
        self._built: set[str] = set()
        self._folder = tempfile.TemporaryDirectory(prefix="basalt-check-")
        file = Path(self._folder.name) / "evidence.db"
        # Judged in a thread, so that what is gathered at that time goes on: never two at once.
        self._database = sqlite3.connect(file, check_same_thread=False)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -65536"):
            self._database.execute(f"PRAGMA {pragma}")
        for name, columns in TABLES.items():
            self._database.execute(f"CREATE TABLE {name} ({columns})")
        for number, index in enumerate(INDEXES):
            self._database.execute(f"CREATE INDEX index_{number} ON {index}")

    def __enter__(self) -> "Evidence":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.interrupt()  # a question that took too long may still be under way
        self._database.close()
        self._folder.cleanup()

    def add(self, table: str, rows: Sequence[Row]) -> None:
        """Append rows, with a value for each column."""
        if rows:
            places = ", ".join("?" * len(rows[0]))
            self._database.executemany(f"INSERT INTO {table} VALUES ({places})", rows)

    def forget(self) -> None:
        """Before the next look."""
        self._built.clear()
        for table in TABLES.keys() - KEPT_BETWEEN_LOOKS:
            self._database.execute(f"DELETE FROM {table}")

    def once(self, name: str) -> bool:
        """Whether this is the first time in this look that `name` is to be built."""
        first = name not in self._built
        self._built.add(name)
        return first

    def change(self, sql: str, *args: object) -> None:
        """Anything that is no question."""
        self._database.execute(sql, args)

    def ask(self, sql: str, *args: object) -> list[Row]:
        """All rows of a question."""
        return self._database.execute(sql, args).fetchall()

    def each(self, sql: str, *args: object) -> Iterable[Row]:
        """The rows one by one, for answers that may be long."""
        return self._database.execute(sql, args)

    def number(self, sql: str, *args: object) -> int:
        """The one number that a question answers."""
        row = self._database.execute(sql, args).fetchone()
        return int(row[0] or 0)

    def count(self, table: str) -> int:
        """How many rows there are."""
        return self.number(f"SELECT count(*) FROM {table}")

    def say(self, name: str, value: object) -> None:
        """Remember something about the gathering itself."""
        self.add("about", [(name, str(value))])

    def notes(self, name: str) -> list[str]:
        """What was said under this name."""
        return [str(row[0]) for row in self.ask("SELECT value FROM about WHERE name = ?", name)]
