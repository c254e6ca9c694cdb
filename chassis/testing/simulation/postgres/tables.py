"""Tables: rows in a dict by primary key, their constraints, and indexes made when first asked for.

A row is never changed in place: an update puts a new dict in its stead. So a plan may keep the
rows that it found, and tells by identity whether another part of its statement was there first.
"""

from collections.abc import Callable, Hashable, Iterable
from operator import itemgetter
from typing import Any

import asyncpg

from chassis.errors import Conflict
from chassis.testing.simulation.postgres.sql.syntax import Column
from chassis.testing.simulation.postgres.sql.values import hashed

Row = dict[str, Any]  # by column
Check = Callable[[Row], object]
HIDDEN_KEY = "ctid"
"""What tells apart the rows of a table without a primary key."""


class Shape:
    """What is fixed of a table; shared by all its copies."""

    def __init__(self, name: str, columns: dict[str, Column], key: tuple[str, ...]) -> None:
        self.name = name
        self.columns = columns
        self.key = key
        self.key_of = _key_of(key or (HIDDEN_KEY,), columns)
        self.key_name = f"{name}_pkey"
        self.required = [c.name for c in columns.values() if c.required]
        self.uniques: list[tuple[str, tuple[str, ...], Check | None]] = []
        self.checks: list[tuple[str, Check]] = []
        uuids = {name for name in key if name in columns and columns[name].type == "uuid"}
        self.indexed: set[str] = {key[0]} if len(key) == 1 else uuids
        self.defaults: dict[str, Callable[[Any], Any]] = {}  # from the run, see queries
        self.generated: list[tuple[str, Check]] = []
        self._has_null = _has_null(self.required)
        self.serials = [c.name for c in columns.values() if c.serial]

    def checked(self, row: Row) -> None:
        """Fills in what is generated. Raises what PostgreSQL raises for a row that breaks a rule
        of its own."""
        for name, value in self.generated:
            row[name] = value(row)
        if self._has_null(row):
            name = next(name for name in self.required if row[name] is None)
            raise asyncpg.NotNullViolationError(
                f'null value in column "{name}" of relation "{self.name}"'
                " violates not-null constraint"
            )
        for name, check in self.checks:
            if check(row) is False:
                raise asyncpg.CheckViolationError(
                    f'new row for relation "{self.name}" violates check constraint "{name}"'
                )


class Table:
    """The rows of one table."""

    __slots__ = ("_by", "_indexes", "_uniques", "numbers", "rows", "shape")

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.rows: dict[Hashable, Row] = {}
        self.numbers: dict[str, int] = {}
        self._uniques: list[dict[Hashable, Row]] = [{} for _ in shape.uniques]
        self._indexes: list[tuple[Callable[[Row], Hashable], dict[Hashable, dict[Hashable, Row]]]]
        self._indexes = []
        self._by: dict[str, dict[Hashable, dict[Hashable, Row]]] = {}

    def next(self, column: str) -> int:
        """The next number of a serial column. Never given back, as in PostgreSQL."""
        number = self.numbers[column] = self.numbers.get(column, 0) + 1
        return number

    def index(self, by: Callable[[Row], Hashable]) -> dict[Hashable, dict[Hashable, Row]]:
        """A new index, kept up to date from now on: `by` gives a row's place, None is none."""
        entries: dict[Hashable, dict[Hashable, Row]] = {}
        for key, row in self.rows.items():
            _enter(entries, by(row), key, row)
        self._indexes.append((by, entries))
        return entries

    def by(self, column: str) -> dict[Hashable, dict[Hashable, Row]]:
        """An index over one column, by `hashed` values."""
        entries = self._by.get(column)
        if entries is not None:
            return entries
        if self.shape.columns[column].type in ("int", "text"):
            return self.where(column, itemgetter(column))
        return self.where(column, lambda row: hashed(row[column]))

    def where(
        self, name: str, place: Callable[[Row], Hashable]
    ) -> dict[Hashable, dict[Hashable, Row]]:
        """An index of this name, made when first asked for."""
        entries = self._by.get(name)
        if entries is None:
            entries = self._by[name] = self.index(place)
        return entries

    def put(self, key: Hashable, row: Row | None) -> None:
        """Set or remove the row of a key, without a question asked."""
        rows = self.rows
        if row is None:
            old = rows.pop(key, None)
        else:
            old = rows.get(key)
            rows[key] = row
        if self._uniques:
            self._put_unique(old, row)
        for by, entries in self._indexes:
            before = None if old is None else by(old)
            after = None if row is None else by(row)
            if before is not None and before != after:
                others = entries[before]
                del others[key]
                if not others:
                    del entries[before]
            if row is not None:
                _enter(entries, after, key, row)

    def add(self, key: Hashable, row: Row) -> None:
        """`put` of a key that is not there."""
        self.rows[key] = row
        if self._uniques:
            self._put_unique(None, row)
        for by, entries in self._indexes:
            _enter(entries, by(row), key, row)

    def _put_unique(self, old: Row | None, row: Row | None) -> None:
        for place, (_, columns, only) in enumerate(self.shape.uniques):
            if old is not None and (entry := _entry(old, columns, only)) is not None:
                self._uniques[place].pop(entry, None)
            if row is not None and (entry := _entry(row, columns, only)) is not None:
                self._uniques[place][entry] = row

    def rival(self, row: Row, columns: tuple[str, ...] = ()) -> tuple[str, Row] | None:
        """A constraint that keeps this row out, and the row that has its place; of the key over
        `columns`, or of any."""
        shape = self.shape
        if shape.key and (not columns or columns == shape.key):
            rival = self.rows.get(shape.key_of(row))
            if rival is not None:
                return shape.key_name, rival
        for place, (name, over, only) in enumerate(shape.uniques):
            if columns and columns != over:
                continue
            entry = _entry(row, over, only)
            if entry is not None and (found := self._uniques[place].get(entry)) is not None:
                return name, found
        return None


class Transaction:
    """One statement's changes: undone together when it fails."""

    __slots__ = ("_undo", "notices")

    def __init__(self) -> None:
        self._undo: list[tuple[Table, Hashable, Row | None]] = []
        self.notices: list[tuple[str, str]] = []

    def put(self, table: Table, key: Hashable, row: Row | None) -> None:
        self._undo.append((table, key, table.rows.get(key)))
        table.put(key, row)

    def insert(self, table: Table, row: Row) -> None:
        """Raises Conflict for a unique violation."""
        shape = table.shape
        shape.checked(row)
        key = shape.key_of(row)
        if shape.uniques or key in table.rows:
            rival = table.rival(row)
            if rival is not None:
                raise Conflict(rival[0])
        self._undo.append((table, key, None))
        table.add(key, row)

    def update(self, table: Table, old: Row, new: Row) -> bool:
        """False when another part of the statement has changed the row already."""
        shape = table.shape
        key = shape.key_of(old)
        if table.rows.get(key) is not old:
            return False
        shape.checked(new)
        after = shape.key_of(new)
        if after != key or shape.uniques:
            self.put(table, key, None)  # it does not stand in its own way
            rival = table.rival(new)
            if rival is not None:
                raise Conflict(rival[0])
        self.put(table, after, new)
        return True

    def delete(self, table: Table, old: Row) -> bool:
        """False when another part of the statement has changed the row already."""
        key = table.shape.key_of(old)
        if table.rows.get(key) is not old:
            return False
        self.put(table, key, None)
        return True

    def made(self, row: Row) -> bool:
        """Whether this statement has put the row there."""
        return any(
            table.rows.get(key) is row and before is not row for table, key, before in self._undo
        )

    def undo(self) -> None:
        """As it was before."""
        while self._undo:
            table, key, row = self._undo.pop()
            table.put(key, row)


def _has_null(names: Iterable[str]) -> Callable[[Row], bool]:
    """Whether one of the columns is NULL, as one expression: each new row passes here."""
    checks = " or ".join(f"row[{name!r}] is None" for name in names) or "False"
    found: Callable[[Row], bool] = eval(f"lambda row: {checks}")  # noqa: S307  # names of columns
    return found


def _enter(
    entries: dict[Hashable, dict[Hashable, Row]], place: Hashable, key: Hashable, row: Row
) -> None:
    if place is None:
        return
    rows = entries.get(place)
    if rows is None:
        entries[place] = {key: row}
    else:
        rows[key] = row


def _entry(row: Row, columns: Iterable[str], only: Check | None) -> Hashable | None:
    """A row's entry in a unique index; None when it has none (a NULL, or left out by WHERE)."""
    if only is not None and not only(row):
        return None
    entry = tuple(hashed(row[name]) for name in columns)
    return None if None in entry else entry


def _key_of(key: tuple[str, ...], columns: dict[str, Column]) -> Callable[[Row], Hashable]:
    uuids = [name in columns and columns[name].type == "uuid" for name in key]
    if len(key) == 1:
        name = key[0]
        if uuids[0]:
            return lambda row: row[name].int
        return lambda row: row[name]
    if len(key) == 2 and uuids[1]:
        first, second = key
        return lambda row: (hashed(row[first]), row[second].int)
    return lambda row: tuple(hashed(row[name]) for name in key)
