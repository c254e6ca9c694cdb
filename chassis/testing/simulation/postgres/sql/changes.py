"""INSERT, UPDATE, DELETE, MERGE: first what they would do, seen from before; then the doing."""

from collections.abc import Callable, Sequence
from typing import Any

from chassis.testing.simulation.postgres.effects import Effect, Inserts, Merged, Updates
from chassis.testing.simulation.postgres.sql import syntax as s
from chassis.testing.simulation.postgres.sql.arrays import side_by_side
from chassis.testing.simulation.postgres.sql.joins import Join
from chassis.testing.simulation.postgres.sql.parser import DEFAULT
from chassis.testing.simulation.postgres.sql.pieces import as_type
from chassis.testing.simulation.postgres.sql.scalars import compiled, truth
from chassis.testing.simulation.postgres.sql.scope import Book, Env, Fn, Scope, Typed
from chassis.testing.simulation.postgres.sql.selects import ctes_of, select_plan
from chassis.testing.simulation.postgres.sql.tokens import UnknownStatement
from chassis.testing.simulation.postgres.tables import Row, Shape, Table

Values = tuple[Any, ...]  # a row of results


class ChangePlan:
    """A compiled change. `decide` gives the effect; `returned` the RETURNING rows, once it is
    applied. `columns` are names and types of those."""

    def __init__(
        self,
        decide: Callable[[Env], tuple[Effect, Callable[[], list[Values]]]],
        columns: list[tuple[str, str]],
    ) -> None:
        self.decide = decide
        self.columns = columns


def change_plan(
    query: s.Insert | s.Update | s.Delete | s.Merge, book: Book, outer: Scope | None
) -> ChangePlan:
    """Compile it. Raises UnknownStatement."""
    if isinstance(query, s.Insert):
        return _insert(query, book, outer)
    if isinstance(query, s.Merge):
        return _merge(query, book, outer)
    return _update(query, book, outer)


def cte_plan(
    query: s.Query, scope: Scope
) -> tuple[dict[str, str], Callable[[Env], list[dict[str, Any]]]]:
    """A CTE's columns, and what gives its rows. A change in it sees the database as before, and
    is applied at the end of the statement."""
    if isinstance(query, s.Select):
        select = select_plan(query, scope.book, scope)
        columns, give = select.columns, select.run
    else:
        if isinstance(query, s.Insert) and query.conflict and query.returning:
            raise UnknownStatement(f"ON CONFLICT with RETURNING in a CTE: {scope.book.text}")
        change = change_plan(query, scope.book, scope)
        columns = change.columns

        def give(env: Env) -> list[Values]:
            effect, returned = change.decide(env)
            env[0].effects.append(effect)
            return returned()

    names = [name for name, _ in columns]
    return dict(columns), lambda env: [dict(zip(names, row, strict=True)) for row in give(env)]


def _returning(
    outputs: Sequence[tuple[s.Node, str]], scope: Scope
) -> tuple[list[tuple[str, str]], list[Fn]]:
    found: list[tuple[str, Typed]] = []
    for node, name in outputs:
        found += scope.stars(node.table) if isinstance(node, s.Star) else []
        found += [] if isinstance(node, s.Star) else [(name, compiled(node, scope))]
    return [(name, value.type) for name, value in found], [value.fn for _, value in found]


def _setters(
    sets: Sequence[tuple[str, s.Node]], shape: Shape, scope: Scope
) -> list[tuple[str, Fn]]:
    found: list[tuple[str, Fn]] = []
    for name, node in sets:
        if name not in shape.columns:
            raise UnknownStatement(f"column {name} of {shape.name} in: {scope.book.text}")
        found.append((name, as_type(compiled(node, scope), shape.columns[name].type)))
    return found


def _update(query: s.Update | s.Delete, book: Book, outer: Scope | None) -> ChangePlan:
    scope = Scope(book, outer)
    shape = book.shape(query.table)
    target = s.Source(query.alias, query.table)
    prepare = ctes_of(query.ctes, scope)
    join = Join([*query.sources, target], query.where, scope)
    found = scope.find(query.alias, next(iter(shape.columns)))
    assert found is not None, "the target is in its own scope"
    slot, name = found[0].slot, shape.name
    setters = _setters(query.sets, shape, scope) if isinstance(query, s.Update) else None
    columns, outputs = _returning(query.returning, scope)

    def decide(env: Env) -> tuple[Effect, Callable[[], list[Values]]]:
        prepare(env)
        pairs: dict[int, tuple[Row, Row | None]] = {}
        returned: list[Values] = []
        for _ in join.envs(env):
            old = env[slot]
            if id(old) in pairs:
                continue
            new = None if setters is None else old | {n: fn(env) for n, fn in setters}
            pairs[id(old)] = (old, new)
            if outputs:
                env[slot] = old if new is None else new
                returned.append(tuple([fn(env) for fn in outputs]))
                env[slot] = old
        return Updates(env[0].tables[name], list(pairs.values())), lambda: returned

    return ChangePlan(decide, columns)


def _insert(query: s.Insert, book: Book, outer: Scope | None) -> ChangePlan:
    shape = book.shape(query.table)
    names = query.columns or tuple(shape.columns)
    scope = Scope(book, outer)
    prepare = ctes_of(query.ctes, scope)
    give = _given(query, names, shape, scope)
    complete = _completion(names, shape, marked=bool(query.values))
    target = scope.frame(query.alias, {c.name: c.type for c in shape.columns.values()}, shape)
    columns, outputs = _returning(query.returning, scope)
    merge = _conflict(query, shape, scope, target.slot)
    conflict, name = query.conflict, shape.name

    def decide(env: Env) -> tuple[Effect, Callable[[], list[Values]]]:
        prepare(env)
        run, table = env[0], env[0].tables[name]
        rows = complete(give(env), table, run)
        effect = Inserts(table, rows)
        if conflict is not None:
            effect.on_conflict, effect.columns = True, conflict.columns
            effect.merged = merge(env) if merge is not None else None
            effect.done = []

        def returned() -> list[Values]:
            found: list[Values] = []
            for row in rows if effect.done is None else effect.done:
                env[target.slot] = row
                found.append(tuple([fn(env) for fn in outputs]))
            return found

        return effect, returned

    return ChangePlan(decide, columns)


def _completion(
    names: tuple[str, ...], shape: Shape, *, marked: bool
) -> Callable[[Sequence[Values], Table, Any], list[Row]]:
    """Makes new rows of values, with the columns that are not named, or have DEFAULT (`marked`).
    A default has one value for the whole statement: no function here is a game of chance."""
    others = [column for column in shape.columns if column not in names]
    counted = [column for column in others if column in shape.serials]
    counted += [] if shape.key else ["ctid"]
    whole = [*names, *[column for column in others if column not in counted]]

    def complete(found: Sequence[Values], table: Table, run: Any) -> list[Row]:  # a Run
        tail = tuple([_default(shape, table, column, run) for column in whole[len(names) :]])
        rows: list[Row] = [dict(zip(whole, (*values, *tail), strict=True)) for values in found]
        for row in rows if counted or marked else ():
            for column in counted:
                row[column] = table.next(column)
            for column in names if marked else ():
                if row[column] is DEFAULT:
                    row[column] = _default(shape, table, column, run)
        return rows

    return complete


def _given(
    query: s.Insert, names: tuple[str, ...], shape: Shape, scope: Scope
) -> Callable[[Env], Sequence[Values]]:
    kinds = [shape.columns[name].type for name in names]
    if query.select is not None:
        arrays = side_by_side(query.select, kinds, scope)
        if arrays is not None:
            return arrays
        plan = select_plan(query.select, scope.book, scope)
        fits = [as_type(Typed(_nth(n), kind), want) for n, (_, kind), want in _zip(plan, kinds)]
        return lambda env: [tuple([fit(list(row)) for fit in fits]) for row in plan.run(env)]
    rows = [
        [
            (lambda env: DEFAULT) if node is DEFAULT else as_type(compiled(node, scope), kind)
            for node, kind in zip(values, kinds[: len(values)], strict=True)
        ]
        for values in query.values
    ]
    return lambda env: [
        tuple([fn(env) for fn in row]) + (DEFAULT,) * (len(names) - len(row)) for row in rows
    ]


def _zip(plan: Any, kinds: list[str]) -> list[tuple[int, tuple[str, str], str]]:  # a SelectPlan
    found = zip(plan.columns, kinds[: len(plan.columns)], strict=True)
    return [(n, column, kind) for n, (column, kind) in enumerate(found)]


def _nth(place: int) -> Fn:
    return lambda row: row[place]


def _default(shape: Shape, table: Table, column: str, run: Any) -> Any:  # a Run; any value
    if column in shape.serials:
        return table.next(column)
    default = shape.defaults.get(column)
    return None if default is None else default([run])


def _conflict(
    query: s.Insert, shape: Shape, scope: Scope, slot: int
) -> Callable[[Env], Merged] | None:
    conflict = query.conflict
    if conflict is None or conflict.sets is None:
        return None
    columns = {c.name: c.type for c in shape.columns.values()}
    excluded = scope.frame("excluded", columns).slot
    setters = _setters(conflict.sets, shape, scope)
    only = truth(conflict.where, scope) if conflict.where is not None else None

    def bind(env: Env) -> Merged:
        def merged(there: Row, new: Row) -> Row | None:
            env[slot], env[excluded] = there, new
            if only is not None and not only(env):
                return None
            return there | {name: fn(env) for name, fn in setters}

        return merged

    return bind


def _merge(query: s.Merge, book: Book, outer: Scope | None) -> ChangePlan:
    shape = book.shape(query.table)
    scope = Scope(book, outer)
    source = Join([query.source], None, scope)
    inner = Scope(book, scope)
    target = Join([s.Source(query.alias, query.table)], query.on, inner)
    slot, name = inner.frames[0].slot, shape.name
    if any(not when.matched and not when.nothing for when in query.whens) or query.returning:
        raise UnknownStatement(f"MERGE that inserts or returns: {book.text}")
    branches = [
        (
            truth(when.condition, inner) if when.condition is not None else None,
            None if when.sets is None else _setters(when.sets, shape, inner),
            when.nothing,
        )
        for when in query.whens
        if when.matched
    ]

    def decide(env: Env) -> tuple[Effect, Callable[[], list[Values]]]:
        pairs: list[tuple[Row, Row | None]] = []
        for _ in source.envs(env):
            for _ in target.envs(env):
                for holds, setters, nothing in branches:
                    if holds is None or holds(env):
                        old: Row = env[slot]
                        new = None
                        if setters is not None:
                            new = old | {n: fn(env) for n, fn in setters}
                        if not nothing:
                            pairs.append((old, new))
                        break
        return Updates(env[0].tables[name], pairs), list

    return ChangePlan(decide, [])
