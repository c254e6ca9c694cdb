"""`SELECT ... FROM unnest(arrays)`: how the chassis inserts in bulk, without a loop of our own."""

from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any

from chassis.testing.simulation.postgres.sql import syntax as s
from chassis.testing.simulation.postgres.sql.pieces import as_type
from chassis.testing.simulation.postgres.sql.scalars import compiled
from chassis.testing.simulation.postgres.sql.scope import Env, Fn, Scope
from chassis.testing.simulation.postgres.sql.values import type_of

Values = tuple[Any, ...]  # a row of results
_PLAIN = ("text", "json", "")


def side_by_side(
    select: s.Select, kinds: Sequence[str], scope: Scope
) -> Callable[[Env], Sequence[Values]] | None:
    """The rows of a query that only lays arrays side by side, for columns of these types; None
    when it does more than that."""
    if len(select.sources) != 1 or select.where is not None or select.group is not None:
        return None
    if select.order or select.limit is not None or select.offset is not None or select.unions:
        return None
    source = select.sources[0]
    if select.distinct or select.distinct_on or source.call is None or source.ordinality:
        return None
    if source.call.name != "unnest" or (len(source.call.args) > 1 and _bare(select, source)):
        return None
    arrays = [compiled(arg, scope) for arg in source.call.args]
    names = source.columns or tuple(f"{source.alias} {n}" for n in range(len(arrays)))
    columns: list[tuple[Fn, bool]] = []  # an array, or one value for all rows
    for node, _ in select.outputs:
        if isinstance(node, s.Star):
            columns += [(array.fn, True) for array in arrays]
            continue
        place = _place(node, source.alias, names)
        if place is not None:
            columns.append((arrays[place].fn, True))
        elif not _reads_columns(node):
            columns.append((as_type(compiled(node, scope), kinds[len(columns)]), False))
        else:
            return None
    if len(columns) != len(kinds[: len(columns)]) or not any(many for _, many in columns):
        return None

    def rows(env: Env) -> Sequence[Values]:
        size = len(arrays[0].fn(env))
        found = [fn(env) if many else repeat(fn(env), size) for fn, many in columns]
        return list(zip(*found, strict=True))

    return rows


def _bare(select: s.Select, source: s.Source) -> bool:
    """Columns by name need the names that the source gives them."""
    return not source.columns and any(not _is_plain(node) for node, _ in select.outputs)


def _is_plain(node: s.Node) -> bool:
    return isinstance(node, s.Star) or not _reads_columns(node)


def _place(node: s.Node, alias: str, names: Sequence[str]) -> int | None:
    """Which array the output is; a cast between text and JSON changes nothing."""
    if isinstance(node, s.Cast) and type_of(node.type) in _PLAIN:
        node = node.value
    if isinstance(node, s.Col) and node.table in ("", alias) and node.name in names:
        return names.index(node.name)
    return None


def _reads_columns(node: Any) -> bool:  # any part of the syntax
    if isinstance(node, s.Col | s.Star | s.Select):
        return True
    if isinstance(node, tuple):
        return any(map(_reads_columns, node))
    if not hasattr(node, "__slots__"):
        return False
    return any(_reads_columns(getattr(node, name)) for name in node.__slots__)
