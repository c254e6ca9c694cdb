"""Plans: a text, understood once, as functions that run it."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from chassis.testing.simulation.postgres.effects import Effect
from chassis.testing.simulation.postgres.records import Record, record_type
from chassis.testing.simulation.postgres.schema import Schema
from chassis.testing.simulation.postgres.shortcuts import shortcut
from chassis.testing.simulation.postgres.sql.changes import change_plan
from chassis.testing.simulation.postgres.sql.parser import parsed
from chassis.testing.simulation.postgres.sql.scope import Book, Env, Run
from chassis.testing.simulation.postgres.sql.selects import select_plan
from chassis.testing.simulation.postgres.sql.syntax import Delete, Insert, Merge, Select, Update

Values = tuple[Any, ...]  # a row of results
Returned = Callable[[], Sequence[Values]]
Rows = Callable[[Run], Sequence[Values]]
Decide = Callable[[Run], tuple[Effect, Returned]]

_TAGS: dict[type, str] = {Insert: "INSERT 0", Update: "UPDATE", Delete: "DELETE", Merge: "MERGE"}
_PLACEHOLDER = re.compile(r"\{\}")


class Plan:
    """A query (`rows`) or a change (`decide`)."""

    __slots__ = ("_json", "_make", "decide", "name", "rows", "tag")

    def __init__(
        self,
        columns: list[tuple[str, str]],  # names and types
        rows: Rows | None = None,
        decide: Decide | None = None,
        tag: str = "SELECT",
        name: str = "",
    ) -> None:
        self.rows = rows
        self.decide = decide
        self.tag = tag
        self.name = name  # for whoever records what was called
        self._make = record_type(tuple(name for name, _ in columns))
        self._json = [n for n, (_, kind) in enumerate(columns) if kind == "json"]

    def records(self, rows: Sequence[Values]) -> list[Record]:
        """As the driver gives them: by name too, with JSON as Python values."""
        make, places = self._make, self._json
        if not places:
            return [make(row) for row in rows]
        return [make([_loaded(v) if n in places else v for n, v in enumerate(row)]) for row in rows]


def numbered(fragment: str) -> str:
    """`$n` for each `{}`."""
    count = 0

    def number(_: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"${count}"

    return _PLACEHOLDER.sub(number, fragment)


def plan_of(text: str, schema: Schema) -> Plan:
    """Compile a text. Raises UnknownStatement."""
    known = shortcut(text)
    if known is not None:
        columns, give = known
        return Plan(columns, give, name=" ".join(text.split()[:3]))
    query = parsed(text)
    book = Book(text, schema.shapes, schema.procedures)
    name = " ".join(text.split()[:3])
    if isinstance(query, Select):
        select = select_plan(query, book, None)

        def rows(run: Run) -> Sequence[Values]:
            env: Env = [run, *[None] * (book.slots - 1)]
            return select.run(env)

        return Plan(select.columns, rows, name=name)
    change = change_plan(query, book, None)

    def decide(run: Run) -> tuple[Effect, Returned]:
        env: Env = [run, *[None] * (book.slots - 1)]
        return change.decide(env)

    return Plan(change.columns, None, decide, _TAGS[type(query)], name)


def _loaded(value: Any) -> Any:  # JSON text, or a value that is loaded already
    return orjson.loads(value) if isinstance(value, str) else value
