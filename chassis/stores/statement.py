"""SQL in bulk: a whole transaction as one statement, many lookups as one query."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chassis.stores.postgres import Database


@lru_cache(maxsize=512)
def _parts(sql: str) -> tuple[str, ...]:
    return tuple(sql.split("{}"))


class _Arguments:
    """Numbers `{}` placeholders across fragments."""

    def __init__(self) -> None:
        self.values: list[object] = []

    def number(self, sql: str, args: Sequence[object]) -> str:
        parts = _parts(sql)
        if len(parts) - 1 != len(args):
            raise TypeError(f"{len(parts) - 1} placeholders for {len(args)} arguments: {sql}")
        text = [parts[0]]
        for part, value in zip(parts[1:], args, strict=True):
            self.values.append(value)
            text.append(f"${len(self.values)}{part}")
        return "".join(text)


class Statement:
    """Many changes as one SQL statement: one round trip, one transaction, all or nothing.

    Every fragment sees the database as it was before the statement, so no two of them may touch
    the same row. Pass arrays (`unnest`) rather than one fragment a row: the text then repeats and
    its plan is kept. Write `'[]'` where SQL needs braces: `{}` is always a placeholder.
    """

    def __init__(self) -> None:
        self._arguments = _Arguments()
        self._fragments: list[str] = []
        self._outputs: list[str] = []

    def add(self, sql: str, *args: object, expect: int | None = None) -> None:
        """Add an INSERT, UPDATE or DELETE. `expect` rows must be affected, else Conflict."""
        name = f"f{len(self._fragments)}"
        text = self._arguments.number(sql, args)
        if expect is not None:
            if " returning " not in text.lower():
                text += " RETURNING 1"
            count = self._arguments.number("{}", (expect,))
            self._outputs.append(
                f"basalt_expect((SELECT count(*) FROM {name}), {count}::bigint, '{name}')"  # noqa: S608
            )
        self._fragments.append(f"{name} AS ({text})")

    def select(self, name: str, sql: str, *args: object) -> None:
        """Add a scalar to the row that `run` returns."""
        self._outputs.append(f"({self._arguments.number(sql, args)}) AS {name}")

    def demand(self, count: int, sql: str, *args: object) -> None:
        """Add a SELECT of a number: unless it gives `count`, nothing happens, and it is a
        Conflict. It sees the database as it was before the statement."""
        name = f"demand {len(self._outputs)}"
        text = self._arguments.number(sql, args)
        wanted = self._arguments.number("{}", (count,))
        self._outputs.append(f"basalt_expect(({text}), {wanted}::bigint, '{name}')")

    def __bool__(self) -> bool:
        return bool(self._fragments)

    def build(self) -> tuple[str, list[object]]:
        """The statement's text and its arguments."""
        outputs = ", ".join(self._outputs) or "1"
        clauses = ", ".join(self._fragments)
        return f"{'WITH ' + clauses if clauses else ''} SELECT {outputs}", self._arguments.values

    async def run(self, database: "Database", timeout: float | None = None) -> Any:
        """Run it; the row of the `select`s. Raises Conflict when an `expect` is not met."""
        sql, args = self.build()
        return await database.fetchrow(sql, *args, timeout=timeout)


Row = tuple[str, int | None, int | None, str | None, str | None]
"""A row of a Reading: id, two counters, a short text, a body."""


class Reading:
    """Many lookups in one round trip. Each part selects exactly (text, bigint, bigint, text,
    text); its rows go to its `into` as a list of tuples."""

    def __init__(self) -> None:
        self._arguments = _Arguments()
        self._parts: list[str] = []
        self._into: list[Callable[[list[Row]], None]] = []

    def add(self, sql: str, *args: object, into: Callable[[list[Row]], None]) -> None:
        """Add a SELECT of five columns. `into` is called once, also when nothing was found."""
        text = self._arguments.number(sql, args)
        self._parts.append(
            f"SELECT {len(self._parts)}, p.* FROM ({text}) AS p(i, a, b, t, body)"  # noqa: S608
        )
        self._into.append(into)

    async def run(self, database: "Database", timeout: float | None = None) -> None:
        """One query for all parts; nothing at all when there are none."""
        if not self._parts:
            return
        sql = " UNION ALL ".join(self._parts)
        rows = await database.fetch(sql, *self._arguments.values, timeout=timeout)
        found: list[list[Row]] = [[] for _ in self._parts]
        for part, *row in rows:
            found[part].append(tuple(row))
        for into, part_rows in zip(self._into, found, strict=True):
            into(part_rows)
