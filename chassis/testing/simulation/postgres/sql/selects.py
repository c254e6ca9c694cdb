"""SELECT: a plan that gives its rows as tuples."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from chassis.testing.simulation.postgres.sql import syntax as s
from chassis.testing.simulation.postgres.sql.functions import AGGREGATES
from chassis.testing.simulation.postgres.sql.joins import Join
from chassis.testing.simulation.postgres.sql.scalars import compiled
from chassis.testing.simulation.postgres.sql.scope import Book, Env, Fn, Scope, Typed, all_of
from chassis.testing.simulation.postgres.sql.values import hashed

Values = tuple[Any, ...]  # a row of results
Keyed = tuple[Values, Values]  # with what it is sorted by


class SelectPlan:
    """A compiled SELECT. `columns` are names and types."""

    def __init__(
        self,
        columns: list[tuple[str, str]],
        rows: Callable[[Env], Iterable[Values]],
        needs: tuple[str, ...],
    ) -> None:
        self.columns = columns
        self.needs = needs  # tables without whose rows it has none
        self._rows = rows

    def run(self, env: Env) -> list[Values]:
        """All rows."""
        found = self._rows(env)
        return found if isinstance(found, list) else list(found)

    def any(self, env: Env) -> bool:
        """Whether there is a row at all."""
        return next(iter(self._rows(env)), None) is not None


def select_plan(select: s.Select, book: Book, outer: Scope | None) -> SelectPlan:
    """Compile it. Raises UnknownStatement."""
    scope = Scope(book, outer)
    prepare = ctes_of(select.ctes, scope)
    core = _Core(select, scope)
    arms = [core.rows, *[_Core(union, Scope(book, scope)).rows for union in select.unions]]
    order = [] if not select.unions else core.orders(select.order)
    limit = compiled(select.limit, scope).fn if select.limit is not None else None
    offset = compiled(select.offset, scope).fn if select.offset is not None else None
    simple = len(arms) == 1 and not select.order and limit is None and offset is None
    if simple and core.straight:
        return SelectPlan(core.columns, core.straight_rows(prepare), core.needs)

    def rows(env: Env) -> Iterator[Values]:
        prepare(env)
        if simple:
            yield from (values for values, _ in arms[0](env))
            return
        found = [row for arm in arms for row in arm(env)]
        directions = [(o.descending, o.nulls_first) for o in select.order]
        if order:
            found = [(values, tuple(values[place] for place in order)) for values, _ in found]
        _sort(found, directions)
        if select.distinct_on:
            found = _first_of_each(found, len(select.distinct_on))
        start = offset(env) if offset is not None else 0
        most = limit(env) if limit is not None else None
        end = None if most is None else start + most
        yield from (values for values, _ in found[start:end])

    return SelectPlan(core.columns, rows, () if select.unions else core.needs)


def ctes_of(ctes: Sequence[tuple[str, s.Query]], scope: Scope) -> Callable[[Env], None]:
    """What fills the CTEs, each of which may read those before it."""
    if not ctes:
        return _no_ctes
    from chassis.testing.simulation.postgres.sql.changes import cte_plan

    fills: list[tuple[str, Callable[[Env], list[dict[str, Any]]]]] = []
    for name, query in ctes:
        if isinstance(query, s.Select) and query.recursive:
            fills.append((name, _recursive(name, query, scope)))
            continue
        columns, fill = cte_plan(query, scope)
        scope.ctes[name] = columns
        fills.append((name, fill))

    def prepare(env: Env) -> None:
        for name, fill in fills:
            env[0].ctes[name] = fill(env)

    return prepare


def _no_ctes(env: Env) -> None:
    """There are none."""


def _recursive(name: str, select: s.Select, scope: Scope) -> Callable[[Env], list[dict[str, Any]]]:
    """What a recursive CTE gives: each round reads what the one before gave."""
    base = select_plan(replace(select, unions=(), recursive=False), scope.book, scope)
    names = [column for column, _ in base.columns]
    scope.ctes[name] = dict(base.columns)
    steps = [select_plan(union, scope.book, scope) for union in select.unions]

    def fill(env: Env) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        values = base.run(env)
        while values:
            latest = [dict(zip(names, row, strict=True)) for row in values]
            found += latest
            env[0].ctes[name] = latest
            values = [row for step in steps for row in step.run(env)]
        return found

    return fill


class _Core:
    """One SELECT without its ORDER BY's sorting, LIMIT and the like."""

    def __init__(self, select: s.Select, scope: Scope) -> None:
        self._select, self._scope = select, scope
        self._join = Join(select.sources, select.where, scope)
        asked = [value for value, _ in select.outputs] + [o.value for o in select.order]
        grouped = select.group is not None or any(map(_aggregates, asked))
        self.needs = () if grouped and select.group is None else self._join.needs
        self._keys = [compiled(node, scope).fn for node in select.group or ()]
        if grouped:
            scope.aggregates, scope.aggregate_slot = [], scope.book.slot()
        self._outputs = self._compiled_outputs()
        self.columns = [(name, value.type) for name, value in self._outputs]
        by = select.order if not select.unions else ()
        self._by = [self._order(o.value) for o in by]
        if select.distinct_on:
            self._by = [self._order(node) for node in select.distinct_on] + self._by[
                len(select.distinct_on) :
            ]
        self.rows = self._grouped if grouped else self._plain
        self._aggregates = scope.aggregates or []
        self._all = all_of([value.fn for _, value in self._outputs])
        self.straight = not grouped and not select.distinct and not self._by
        """Whether its rows are just values of what the join gives."""

    def straight_rows(self, prepare: Callable[[Env], None]) -> Callable[[Env], list[Values]]:
        """All rows, without keys to sort by."""
        join, values = self._join, self._all

        def rows(env: Env) -> list[Values]:
            prepare(env)
            return [values(env) for _ in join.envs(env)]

        return rows

    def orders(self, order: Sequence[s.Order]) -> list[int]:
        """Places of ORDER BY's columns, after a UNION."""
        names = [name for name, _ in self.columns]
        return [names.index(o.value.name) for o in order if isinstance(o.value, s.Col)]

    def _compiled_outputs(self) -> list[tuple[str, Typed]]:
        found: list[tuple[str, Typed]] = []
        for node, name in self._select.outputs:
            if isinstance(node, s.Star):
                found += self._scope.stars(node.table)
            else:
                found.append((name, compiled(node, self._scope)))
        return found

    def _order(self, node: s.Node) -> Fn:
        if isinstance(node, s.Col) and not node.table:
            for name, value in self._outputs:
                if name == node.name:
                    return value.fn
        if isinstance(node, s.Const) and isinstance(node.value, int):
            return self._outputs[node.value - 1][1].fn
        return compiled(node, self._scope).fn

    def _plain(self, env: Env) -> Iterator[Keyed]:
        by, seen = self._by, set[Any]()
        for _ in self._join.envs(env):
            values = self._all(env)
            if self._select.distinct:
                if (mark := tuple(map(hashed, values))) in seen:
                    continue
                seen.add(mark)
            yield values, tuple([fn(env) for fn in by])

    def _grouped(self, env: Env) -> Iterator[Keyed]:
        groups: dict[Values, list[Env]] = {}
        if self._select.group is None:
            groups[()] = []
        for _ in self._join.envs(env):
            mark = tuple(hashed(fn(env)) for fn in self._keys)
            groups.setdefault(mark, []).append(env.copy())
        slot = self._scope.aggregate_slot
        for envs in groups.values():
            row = envs[0].copy() if envs else env
            row[slot] = [fn(envs) for fn in self._aggregates]
            values = tuple([value.fn(row) for _, value in self._outputs])
            yield values, tuple([fn(row) for fn in self._by])


def _aggregates(node: Any) -> bool:  # any part of the syntax
    if isinstance(node, s.Call) and node.name in AGGREGATES:
        return True
    if isinstance(node, s.Select) or not hasattr(node, "__slots__"):
        return isinstance(node, tuple) and any(map(_aggregates, node))
    return any(_aggregates(getattr(node, name)) for name in node.__slots__)


def _sort(rows: list[Keyed], directions: Sequence[tuple[bool, bool]]) -> None:
    for place in range(len(directions) - 1, -1, -1):
        descending, nulls_first = directions[place]
        full = [row for row in rows if row[1][place] is not None]
        empty = [row for row in rows if row[1][place] is None]
        full.sort(key=lambda row: row[1][place], reverse=descending)  # used at once
        rows[:] = empty + full if nulls_first else full + empty


def _first_of_each(rows: list[Keyed], width: int) -> list[Keyed]:
    seen: set[Any] = set()
    found: list[Keyed] = []
    for row in rows:
        mark = tuple(map(hashed, row[1][:width]))
        if mark not in seen:
            seen.add(mark)
            found.append(row)
    return found
