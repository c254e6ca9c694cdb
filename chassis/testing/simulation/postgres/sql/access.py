"""Access: how the rows of a table are found without looking at all of them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any

from chassis.testing.simulation.postgres.sql import syntax as s
from chassis.testing.simulation.postgres.sql.pieces import as_type
from chassis.testing.simulation.postgres.sql.scalars import compiled, subselect
from chassis.testing.simulation.postgres.sql.scope import Env, Fn, Frame, Scope
from chassis.testing.simulation.postgres.sql.values import hashed, keys_of
from chassis.testing.simulation.postgres.tables import Row, Table

_Lookup = tuple[s.Node, str, Fn]  # condition, column, and what gives its keys in an index


def access_of(
    frame: Frame, conditions: Sequence[s.Node], scope: Scope, unbound: set[int]
) -> tuple[Fn, list[s.Node]] | None:
    """What gives the table's rows for which some of the conditions are sure to hold, and those
    conditions; None when all rows must be looked at. `unbound`: slots that have no row yet."""
    shape = frame.shape
    if shape is None:
        return None
    found: dict[str, _Lookup] = {}
    for node in conditions:
        for column, value, many in _lookups(node):
            where = scope.find(column.table, column.name)
            if where is None or where[0] is not frame or column.name in found:
                continue
            if not measured(value, scope) & unbound:
                kind = where[1] if where[1] != "ctid" else ""
                wanted = _wanted(value, scope, kind, many=many)
                keys = _keys(wanted, kind, many=many)
                found[column.name] = (node, column.name, keys)
    if "ctid" in found:
        return _by_key(shape.name, [found["ctid"]], single=True)
    if shape.key and all(name in found for name in shape.key):
        parts = [found[name] for name in shape.key]
        return _by_key(shape.name, parts, single=len(parts) == 1)
    for name, lookup in found.items():
        if name in shape.indexed:
            return _by_column(shape.name, lookup)
    return None


def measured(node: s.Node, scope: Scope) -> set[int]:
    """The slots that an expression refers to."""
    book = scope.book
    before, book.used = book.used, set()
    compiled(node, scope)
    used, book.used = book.used, before | book.used
    return used


def _wanted(node: s.Node, scope: Scope, kind: str, *, many: bool) -> Fn:
    """A value, or the list that an array or a query gives."""
    if many and isinstance(node, s.Select):
        plan = subselect(node, scope)
        return lambda env: [row[0] for row in plan.run(env)]
    value = compiled(node, scope)
    if not kind:
        return value.fn
    return as_type(value, f"{kind}[]" if many else kind)


def _keys(wanted: Fn, kind: str, *, many: bool) -> Fn:
    """The values as they stand in an index."""
    if not many:
        return lambda env: (hashed(wanted(env)),)
    distinct = keys_of(kind)
    return lambda env: distinct(wanted(env) or ())


def _by_key(name: str, parts: Sequence[_Lookup], *, single: bool) -> tuple[Fn, list[s.Node]]:
    fns = [keys for _, _, keys in parts]
    first = fns[0]

    def rows(env: Env) -> list[Row]:
        there = env[0].tables[name].rows
        if not there:
            return []
        keys: Iterable[Any] = first(env) if single else product(*[fn(env) for fn in fns])
        return [row for key in keys if (row := there.get(key)) is not None]

    return rows, [node for node, *_ in parts]


def _by_column(name: str, lookup: _Lookup) -> tuple[Fn, list[s.Node]]:
    node, column, keys = lookup

    def rows(env: Env) -> list[Row]:
        table: Table = env[0].tables[name]
        entries = table.by(column)
        return [row for value in keys(env) for row in entries.get(value, {}).values()]

    return rows, [node]


def _lookups(node: s.Node) -> Iterator[tuple[s.Col, s.Node, bool]]:
    """Columns that the condition sets equal to something: (column, value, one of many)."""
    if isinstance(node, s.Op) and node.op == "=":
        if isinstance(node.left, s.Col):
            yield node.left, node.right, False
        if isinstance(node.right, s.Col):
            yield node.right, node.left, False
    elif isinstance(node, s.Quantified) and (node.op, node.every) == ("=", False):
        left = node.left
        yield from [(left, node.right, True)] if isinstance(left, s.Col) else []
