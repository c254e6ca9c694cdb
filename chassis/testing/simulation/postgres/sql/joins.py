"""FROM and WHERE: nested loops, with a table's index where a condition allows it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from chassis.testing.simulation.postgres.sql import syntax as s
from chassis.testing.simulation.postgres.sql.functions import table_function
from chassis.testing.simulation.postgres.sql.scalars import as_type, compiled, subselect, truth
from chassis.testing.simulation.postgres.sql.scope import Env, Fn, Frame, Scope
from chassis.testing.simulation.postgres.sql.values import hashed
from chassis.testing.simulation.postgres.tables import Row, Table


@dataclass(slots=True)
class Level:
    """One source of the join."""

    frame: Frame
    rows: Fn
    conditions: list[Fn] = field(default_factory=list)
    left: bool = False


class Join:
    """All sources of a query, in the order of their loops."""

    def __init__(self, sources: Sequence[s.Source], where: s.Node | None, scope: Scope) -> None:
        self._scope = scope
        self._levels = [self._level(source) for source in sources]
        if not any(level.left for level in self._levels):
            self._levels.sort(key=lambda level: level.frame.shape is not None)
        conditions = _conjuncts(where)
        outer = any(level.left for level in self._levels)
        for source in sources:
            if source.on is not None and not source.left:
                conditions += _conjuncts(source.on)
        self._mine = {level.frame.slot for level in self._levels}
        waiting = [(node, self._measured(node) & self._mine) for node in conditions]
        self._first = [truth(n, scope) for n, used in waiting if not used]
        waiting = [(n, used) for n, used in waiting if used]
        bound: set[int] = set()
        for level in self._levels:
            if not level.left:
                self._index(level, [node for node, _ in waiting], bound)
            bound.add(level.frame.slot)
            if outer:  # a condition may be about what LEFT JOIN leaves empty: all at the end
                continue
            level.conditions += [truth(n, scope) for n, used in waiting if used <= bound]
            waiting = [(n, used) for n, used in waiting if not used <= bound]
        self._last = [truth(n, scope) for n, _ in waiting]

    def envs(self, env: Env) -> Iterator[None]:
        """Sets the slots to each combination that fulfils the conditions."""
        if all(holds(env) for holds in self._first):
            yield from self._walk(env, 0)

    def _walk(self, env: Env, depth: int) -> Iterator[None]:
        if depth == len(self._levels):
            if all(holds(env) for holds in self._last):
                yield
            return
        level = self._levels[depth]
        slot, conditions, matched = level.frame.slot, level.conditions, False
        for row in level.rows(env):
            env[slot] = row
            if all(holds(env) for holds in conditions):
                matched = True
                yield from self._walk(env, depth + 1)
        if level.left and not matched:
            env[slot] = dict.fromkeys(level.frame.columns)
            yield from self._walk(env, depth + 1)

    def _measured(self, node: s.Node) -> set[int]:
        """The slots that an expression refers to."""
        book = self._scope.book
        before, book.used = book.used, set()
        _any_value(node, self._scope)
        used, book.used = book.used, before | book.used
        return used

    def _level(self, source: s.Source) -> Level:
        scope = self._scope
        if source.select is not None:
            return self._of_select(source)
        if source.call is not None:
            return self._of_call(source)
        if source.name in scope.ctes:
            frame = scope.frame(source.alias, scope.ctes[source.name])
            name = source.name
            level = Level(frame, lambda env: env[0].ctes[name])
        else:
            shape = scope.book.shape(source.name)
            columns = {name: column.type for name, column in shape.columns.items()}
            frame = scope.frame(source.alias, columns, shape)
            level = Level(frame, _scan(shape.name))
        return self._joined(level, source)

    def _joined(self, level: Level, source: s.Source) -> Level:
        if source.left:
            level.left = True
            level.conditions = [truth(node, self._scope) for node in _conjuncts(source.on)]
        return level

    def _of_select(self, source: s.Source) -> Level:
        assert source.select is not None, "checked by the caller"
        plan = subselect(source.select, self._scope)
        names = list(source.columns) or [name for name, _ in plan.columns]
        kinds = [kind for _, kind in plan.columns]
        frame = self._scope.frame(source.alias, dict(zip(names, kinds, strict=True)))
        level = Level(
            frame, lambda env: [dict(zip(names, row, strict=True)) for row in plan.run(env)]
        )
        return self._joined(level, source)

    def _of_call(self, source: s.Source) -> Level:
        call, scope = source.call, self._scope
        assert call is not None, "checked by the caller"
        args = [compiled(arg, scope) for arg in call.args]
        tuples = table_function(call, args, scope)
        kinds = [arg.type.removesuffix("[]") for arg in args]
        if call.name not in ("unnest", "generate_series"):
            names = PROCEDURE_COLUMNS.get(call.name, (source.alias,))
            kinds = [""] * len(names)
        else:
            kinds = ["int"] if call.name == "generate_series" else kinds
            names = source.columns or _unnamed(source.alias, len(kinds))
        if source.ordinality:
            kinds.append("int")
        frame = scope.frame(source.alias, dict(zip(names, kinds, strict=True)))
        numbered = source.ordinality

        def rows(env: Env) -> list[Row]:
            found = tuples(env)
            if numbered:
                found = [(*values, n) for n, values in enumerate(found, 1)]
            return [dict(zip(names, values, strict=True)) for values in found]

        return Level(frame, rows)

    def _index(self, level: Level, conditions: Sequence[s.Node], bound: set[int]) -> None:
        """Look rows up where a condition says which ones; it is checked all the same."""
        shape = level.frame.shape
        if shape is None:
            return
        for node in conditions:
            for column, value, many in _lookups(node):
                if column.name != "ctid" and column.name not in shape.indexed:
                    continue
                found = self._scope.find(column.table, column.name)
                if found is None or found[0] is not level.frame:
                    continue
                if self._measured(value) & self._mine <= bound:
                    level.rows = self._lookup(level, column.name, value, many)
                    return

    def _lookup(self, level: Level, column: str, value: s.Node, many: bool) -> Fn:
        shape = level.frame.shape
        assert shape is not None, "checked by the caller"
        kind = "" if column == "ctid" else shape.columns[column].type
        wanted = _any_value(value, self._scope, f"{kind}[]" if many and kind else kind)
        name = shape.name
        by_key = column == "ctid" or shape.key == (column,)

        def rows(env: Env) -> Iterable[Row]:
            found = wanted(env)
            values = dict.fromkeys(map(hashed, found or ())) if many else [hashed(found)]
            table: Table = env[0].tables[name]
            if by_key:
                return [row for value in values if (row := table.rows.get(value)) is not None]
            entries = table.by(column)
            return [row for value in values for row in entries.get(value, {}).values()]

        return rows


PROCEDURE_COLUMNS: Mapping[str, tuple[str, ...]] = {"relay_tick": ("held_shard", "held_epoch")}


def _unnamed(alias: str, count: int) -> tuple[str, ...]:
    return (alias, *[f"{alias}, {n}" for n in range(1, count)])


def _scan(name: str) -> Fn:
    return lambda env: list(env[0].tables[name].rows.values())


def _conjuncts(node: s.Node | None) -> list[s.Node]:
    if node is None:
        return []
    if isinstance(node, s.Op) and node.op == "and":
        return _conjuncts(node.left) + _conjuncts(node.right)
    return [node]


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


def _any_value(node: s.Node, scope: Scope, kind: str = "") -> Fn:
    if isinstance(node, s.Select):
        plan = subselect(node, scope)
        return lambda env: [row[0] for row in plan.run(env)]
    value = compiled(node, scope)
    return as_type(value, kind) if kind else value.fn
