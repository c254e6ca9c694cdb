"""SQL in bulk: a whole transaction as one statement, many lookups as one query."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from chassis.stores.postgres import Database


class Fragment(NamedTuple):
    """A change: SQL with `{}` placeholders, their arguments, and the rows it must affect."""

    sql: str
    args: tuple[object, ...]
    expect: int | None


class Output(NamedTuple):
    """A scalar: of a `select` by its name, of a `demand` the number that it must give."""

    sql: str
    args: tuple[object, ...]
    name: str
    demand: int | None = None


class Part(NamedTuple):
    """A lookup of a Reading, and who gets its rows."""

    sql: str
    args: tuple[object, ...]
    into: "Callable[[list[Row]], None]"


class Statement:
    """Many changes as one SQL statement: one round trip, one transaction, all or nothing.

    Every fragment sees the database as it was before the statement, so no two of them may touch
    the same row. Pass arrays (`unnest`) rather than one fragment a row: the text then repeats and
    its plan is kept. Write `'[]'` where SQL needs braces: `{}` is always a placeholder.
    """

    __slots__ = ("fragments", "outputs")

    def __init__(self) -> None:
        self.fragments: list[Fragment] = []
        self.outputs: list[Output] = []

    def add(self, sql: str, *args: object, expect: int | None = None) -> None:
        """Add an INSERT, UPDATE or DELETE. `expect` rows must be affected, else Conflict."""
        _check(sql, args)
        self.fragments.append(Fragment(sql, args, expect))

    def select(self, name: str, sql: str, *args: object) -> None:
        """Add a scalar to the row that `run` returns."""
        _check(sql, args)
        self.outputs.append(Output(sql, args, name))

    def demand(self, count: int, sql: str, *args: object) -> None:
        """Add a SELECT of a number: unless it gives `count`, nothing happens, and it is a
        Conflict. It sees the database as it was before the statement."""
        _check(sql, args)
        self.outputs.append(Output(sql, args, f"demand {len(self.outputs)}", count))

    def __bool__(self) -> bool:
        return bool(self.fragments)

    def build(self) -> tuple[str, list[object]]:
        """The statement's text and its arguments."""
        values: list[object] = []
        for _, args, expect in self.fragments:
            values += args
            if expect is not None:
                values.append(expect)
        for _, args, _, demand in self.outputs:
            values += args
            if demand is not None:
                values.append(demand)
        text = _statement_text(
            tuple((f.sql, f.expect is not None) for f in self.fragments),
            tuple((o.sql, o.name, o.demand is not None) for o in self.outputs),
        )
        return text, values

    async def run(self, database: "Database", timeout: float | None = None) -> Any:
        """Run it; the row of the `select`s. Raises Conflict when an `expect` is not met."""
        return await database.run_statement(self, timeout)


Row = tuple[str, int | None, int | None, str | None, str | None]
"""A row of a Reading: id, two counters, a short text, a body."""


class Reading:
    """Many lookups in one round trip. Each part selects exactly (text, bigint, bigint, text,
    text); its rows go to its `into` as a list of tuples."""

    __slots__ = ("parts",)

    def __init__(self) -> None:
        self.parts: list[Part] = []

    def add(self, sql: str, *args: object, into: Callable[[list[Row]], None]) -> None:
        """Add a SELECT of five columns. `into` is called once, also when nothing was found."""
        _check(sql, args)
        self.parts.append(Part(sql, args, into))

    def build(self) -> tuple[str, list[object]]:
        """One query for all parts, with the part's number before its columns."""
        values = [value for part in self.parts for value in part.args]
        return _reading_text(tuple(part.sql for part in self.parts)), values

    async def run(self, database: "Database", timeout: float | None = None) -> None:
        """One query for all parts; nothing at all when there are none."""
        if self.parts:
            await database.run_reading(self, timeout)

    def deliver(self, rows: Iterable[Sequence[Any]]) -> None:
        """Hand the rows of `build`'s query to where they go."""
        found: list[list[Row]] = [[] for _ in self.parts]
        for number, *row in rows:
            found[number].append(cast(Row, tuple(row)))
        for part, part_rows in zip(self.parts, found, strict=True):
            part.into(part_rows)


def _check(sql: str, args: tuple[object, ...]) -> None:
    if len(_pieces(sql)) - 1 != len(args):
        raise TypeError(f"{len(_pieces(sql)) - 1} placeholders for {len(args)} arguments: {sql}")


@lru_cache(maxsize=512)
def _pieces(sql: str) -> tuple[str, ...]:
    return tuple(sql.split("{}"))


class _Numbers:
    """Numbers `{}` placeholders across fragments."""

    def __init__(self) -> None:
        self._count = 0

    def number(self, sql: str) -> str:
        first, *others = _pieces(sql)
        text = [first]
        for piece in others:
            self._count += 1
            text.append(f"${self._count}{piece}")
        return "".join(text)


# The same texts come again and again: what differs is in the arguments.
@lru_cache(maxsize=512)
def _statement_text(
    fragments: tuple[tuple[str, bool], ...], outputs: tuple[tuple[str, str, bool], ...]
) -> str:
    numbers = _Numbers()
    clauses: list[str] = []
    columns: list[str] = []
    for place, (sql, expected) in enumerate(fragments):
        name, text = f"f{place}", numbers.number(sql)
        if expected:
            if " returning " not in text.lower():
                text += " RETURNING 1"
            affected = f"(SELECT count(*) FROM {name})"  # noqa: S608
            columns.append(f"basalt_expect({affected}, {numbers.number('{}')}::bigint, '{name}')")
        clauses.append(f"{name} AS ({text})")
    for sql, name, demanded in outputs:
        text = numbers.number(sql)
        if demanded:
            columns.append(f"basalt_expect(({text}), {numbers.number('{}')}::bigint, '{name}')")
        else:
            columns.append(f"({text}) AS {name}")
    return f"{'WITH ' + ', '.join(clauses) if clauses else ''} SELECT {', '.join(columns) or '1'}"


@lru_cache(maxsize=512)
def _reading_text(parts: tuple[str, ...]) -> str:
    numbers = _Numbers()
    return " UNION ALL ".join(
        f"SELECT {place}, p.* FROM ({numbers.number(sql)}) AS p(i, a, b, t, body)"  # noqa: S608
        for place, sql in enumerate(parts)
    )
