"""FROM and WHERE: nested loops, with a table's index where a condition allows it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from chassis.testing.simulation.postgres.sql import syntax as s
from chassis.testing.simulation.postgres.sql.access import access_of, measured
from chassis.testing.simulation.postgres.sql.functions import table_function
from chassis.testing.simulation.postgres.sql.scalars import compiled, subselect, truth
from chassis.testing.simulation.postgres.sql.scope import Env, Fn, Frame, Scope
from chassis.testing.simulation.postgres.tables import Row


@dataclass(slots=True)
class Level:
    """One source of the join."""

    frame: Frame
    rows: Fn
    conditions: list[Fn] = field(default_factory=list)
    left: bool = False
    holds: Fn | None = None  # all the conditions; None when there is none
    needs: tuple[str, ...] = ()  # tables without whose rows it has none


class Join:
    """All sources of a query, in the order of their loops."""

    def __init__(self, sources: Sequence[s.Source], where: s.Node | None, scope: Scope) -> None:
        self._scope = scope
        self._levels = [self._level(source) for source in sources]
        if not any(level.left for level in self._levels):
            self._levels.sort(key=lambda level: level.frame.shape is not None)
        conditions = conjuncts(where)
        outer = any(level.left for level in self._levels)
        for source in sources:
            if source.on is not None and not source.left:
                conditions += conjuncts(source.on)
        mine = {level.frame.slot for level in self._levels}
        waiting = [(node, measured(node, scope) & mine) for node in conditions]
        self._first = _all([truth(n, scope) for n, used in waiting if not used])
        waiting = [(n, used) for n, used in waiting if used]
        bound: set[int] = set()
        for level in self._levels:
            if not level.left:
                found = access_of(level.frame, [n for n, _ in waiting], scope, mine - bound)
                if found is not None:
                    level.rows, sure = found
                    waiting = [(n, used) for n, used in waiting if outer or n not in sure]
            bound.add(level.frame.slot)
            if outer:  # a condition may be about what LEFT JOIN leaves empty: all at the end
                continue
            level.conditions += [truth(n, scope) for n, used in waiting if used <= bound]
            waiting = [(n, used) for n, used in waiting if not used <= bound]
        self._last = _all([truth(n, scope) for n, _ in waiting])
        for level in self._levels:
            level.holds = _all(level.conditions)
        self._needed = [] if outer else [name for level in self._levels for name in level.needs]
        plain = not outer and self._first is None and self._last is None
        self._plain = self._levels if plain and 0 < len(self._levels) < 3 else []

    @property
    def needs(self) -> tuple[str, ...]:
        """Tables without whose rows the join has none."""
        return tuple(self._needed)

    def envs(self, env: Env) -> Iterator[None]:
        """Sets the slots to each combination that fulfils the conditions."""
        for name in self._needed:
            if not env[0].tables[name].rows:
                return iter(())
        if len(self._plain) == 1:
            return _one(env, self._plain[0])
        if self._plain:
            return _two(env, self._plain[0], self._plain[1])
        if self._first is None or self._first(env):
            return self._walk(env, 0)
        return iter(())

    def _walk(self, env: Env, depth: int) -> Iterator[None]:
        if depth == len(self._levels):
            if self._last is None or self._last(env):
                yield
            return
        level = self._levels[depth]
        slot, holds, matched = level.frame.slot, level.holds, False
        for row in level.rows(env):
            env[slot] = row
            if holds is None or holds(env):
                matched = True
                yield from self._walk(env, depth + 1)
        if level.left and not matched:
            env[slot] = dict.fromkeys(level.frame.columns)
            yield from self._walk(env, depth + 1)

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
            level = Level(frame, _scan(shape.name), needs=(shape.name,))
        return self._joined(level, source)

    def _joined(self, level: Level, source: s.Source) -> Level:
        if source.left:
            level.left = True
            level.conditions = [truth(node, self._scope) for node in conjuncts(source.on)]
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
        level.needs = plan.needs
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


PROCEDURE_COLUMNS: Mapping[str, tuple[str, ...]] = {"relay_tick": ("held_shard", "held_epoch")}


def _unnamed(alias: str, count: int) -> tuple[str, ...]:
    return (alias, *[f"{alias}, {n}" for n in range(1, count)])


def _one(env: Env, level: Level) -> Iterator[None]:
    slot, holds = level.frame.slot, level.holds
    for row in level.rows(env):
        env[slot] = row
        if holds is None or holds(env):
            yield


def _two(env: Env, outer: Level, inner: Level) -> Iterator[None]:
    slot, holds = outer.frame.slot, outer.holds
    place, fits = inner.frame.slot, inner.holds
    for row in outer.rows(env):
        env[slot] = row
        if holds is not None and not holds(env):
            continue
        for other in inner.rows(env):
            env[place] = other
            if fits is None or fits(env):
                yield


def _all(conditions: Sequence[Fn]) -> Fn | None:
    """One condition that is all of them."""
    if len(conditions) < 2:
        return conditions[0] if conditions else None

    def holds(env: Env) -> bool:
        for condition in conditions:  # noqa: SIM110  # faster so, and this is the hottest loop
            if not condition(env):
                return False
        return True

    return holds


def _scan(name: str) -> Fn:
    return lambda env: list(env[0].tables[name].rows.values())


def conjuncts(node: s.Node | None) -> list[s.Node]:
    """What AND holds together."""
    if node is None:
        return []
    if isinstance(node, s.Op) and node.op == "and":
        return conjuncts(node.left) + conjuncts(node.right)
    return [node]
