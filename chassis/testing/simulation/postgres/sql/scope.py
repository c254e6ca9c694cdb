"""Names and places: where a compiled expression finds its rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

from chassis.testing.simulation.postgres.effects import Effect
from chassis.testing.simulation.postgres.sql.tokens import UnknownStatement
from chassis.testing.simulation.postgres.tables import Row, Shape, Table, Transaction

Env = list[Any]  # the Run, then the current row of each slot
Fn = Callable[[Env], Any]  # a value
Procedure = Callable[["Run", Sequence[Any]], Any]  # a function that the migrations create


class Run:
    """One execution of a statement, or of a part of it."""

    __slots__ = ("args", "ctes", "effects", "now", "tables", "transaction")

    def __init__(
        self,
        tables: Mapping[str, Table],
        args: Sequence[Any],  # as asyncpg would take them
        now: datetime,
        transaction: Transaction,
    ) -> None:
        self.tables = tables
        self.args = args
        self.now = now
        self.transaction = transaction
        self.ctes: dict[str, list[Row]] = {}
        self.effects: list[Effect] = []


class Typed(NamedTuple):
    """A compiled expression. `type` is "" when nothing says it, "param" for a bare argument."""

    fn: Fn
    type: str


@dataclass(slots=True)
class Frame:
    """A source's place in the Env, and its columns with their types."""

    alias: str
    slot: int
    columns: dict[str, str]
    shape: Shape | None = None  # of a table


def place_of(fn: Fn) -> tuple[int, str] | None:
    """The slot and the name of a value that is just a column."""
    return getattr(fn, "place", None)


def all_of(fns: Sequence[Fn]) -> Callable[[Env], tuple[Any, ...]]:
    """Several values at once."""
    places = [place_of(fn) for fn in fns]
    slots = {place[0] for place in places if place is not None}
    if len(fns) > 1 and len(slots) == 1 and None not in places:
        take, slot = itemgetter(*[place[1] for place in places if place is not None]), slots.pop()
        return lambda env: take(env[slot])
    if len(fns) == 1:
        only = fns[0]
        return lambda env: (only(env),)
    return lambda env: tuple([fn(env) for fn in fns])


class Scope:
    """The sources of one query; a subquery's scope has its query's as `outer`."""

    def __init__(self, book: "Book", outer: "Scope | None" = None) -> None:
        self.book = book
        self.outer = outer
        self.frames: list[Frame] = []
        self.ctes: dict[str, dict[str, str]] = {} if outer is None else dict(outer.ctes)
        self.aggregates: list[Fn] | None = None  # set while a grouped query's outputs compile
        self.aggregate_slot = 0

    def frame(self, alias: str, columns: dict[str, str], shape: Shape | None = None) -> Frame:
        """A new source."""
        made = Frame(alias, self.book.slot(), columns, shape)
        self.frames.append(made)
        return made

    def find(self, table: str, name: str) -> tuple[Frame, str] | None:
        """The source that a column is of, and the column's type."""
        for frame in self.frames:
            if table and frame.alias != table:
                continue
            if name in frame.columns:
                return frame, frame.columns[name]
            if name == "ctid" and frame.shape is not None:
                return frame, "ctid"
        return self.outer.find(table, name) if self.outer is not None else None

    def column(self, table: str, name: str) -> Typed:
        """A column's value. Raises UnknownStatement."""
        found = self.find(table, name)
        if found is None:
            raise UnknownStatement(f"column {table}.{name} in: {self.book.text}")
        frame, kind = found
        slot = frame.slot
        self.book.used.add(slot)
        if kind == "ctid":
            assert frame.shape is not None, "only tables have one"
            key_of = frame.shape.key_of
            return Typed(lambda env: key_of(env[slot]), "ctid")

        def value(env: Env) -> Any:
            return env[slot][name]

        value.place = slot, name  # type: ignore[attr-defined]  # see place_of
        return Typed(value, kind)

    def stars(self, table: str) -> list[tuple[str, Typed]]:
        """All columns of a source, or of all."""
        return [
            (name, self.column(frame.alias, name))
            for frame in self.frames
            if not table or frame.alias == table
            for name in frame.columns
        ]


class Book:
    """What one statement's compilation shares."""

    def __init__(
        self, text: str, shapes: Mapping[str, Shape], procedures: Mapping[str, Procedure]
    ) -> None:
        self.text = text
        self.shapes = shapes
        self.procedures = procedures
        self.slots = 1
        self.used: set[int] = set()  # slots that were referred to since somebody cleared it

    def slot(self) -> int:
        self.slots += 1
        return self.slots - 1

    def shape(self, name: str) -> Shape:
        """A table's. Raises UnknownStatement."""
        shape = self.shapes.get(name)
        if shape is None:
            raise UnknownStatement(f'relation "{name}" does not exist, in: {self.text}')
        return shape
