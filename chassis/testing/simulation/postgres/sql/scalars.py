"""Expressions as functions. NULL is None, with its logic of three values."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chassis.testing.simulation.postgres.sql import syntax as s
from chassis.testing.simulation.postgres.sql.functions import (
    AGGREGATES,
    aggregate,
    aggregate_type,
    call,
)
from chassis.testing.simulation.postgres.sql.operators import OPERATORS
from chassis.testing.simulation.postgres.sql.pieces import (
    as_span,
    as_type,
    first_column,
    json_member,
    logic,
    met,
)
from chassis.testing.simulation.postgres.sql.scope import Env, Fn, Scope, Typed
from chassis.testing.simulation.postgres.sql.tokens import UnknownStatement
from chassis.testing.simulation.postgres.sql.values import cast_to, type_of

if TYPE_CHECKING:
    from chassis.testing.simulation.postgres.sql.selects import SelectPlan


def compiled(node: s.Node, scope: Scope) -> Typed:
    """The function of an expression. Raises UnknownStatement."""
    compile_ = _COMPILERS.get(type(node))
    if compile_ is None:
        raise UnknownStatement(f"{type(node).__name__} in: {scope.book.text}")
    return compile_(node, scope)


def truth(node: s.Node, scope: Scope) -> Fn:
    """A condition: NULL counts as false."""
    fn = compiled(node, scope).fn
    return lambda env: fn(env) is True


def subselect(select: s.Select, scope: Scope) -> "SelectPlan":
    """The plan of a query inside an expression."""
    from chassis.testing.simulation.postgres.sql.selects import select_plan

    return select_plan(select, scope.book, scope)


def _const(node: s.Const, scope: Scope) -> Typed:
    value = node.value
    kinds: dict[type, str] = {bool: "bool", int: "int", float: "float"}
    return Typed(lambda env: value, kinds.get(type(value), ""))


def _param(node: s.Param, scope: Scope) -> Typed:
    index = node.index
    return Typed(lambda env: env[0].args[index], "param")


def _col(node: s.Col, scope: Scope) -> Typed:
    if not node.table and scope.find("", node.name) is None and node.name == "current_timestamp":
        return call(s.Call("now", ()), [], scope)
    return scope.column(node.table, node.name)


def _call(node: s.Call, scope: Scope) -> Typed:
    if node.name in AGGREGATES:
        return _aggregate(node, scope)
    return call(node, [compiled(arg, scope) for arg in node.args], scope)


def _aggregate(node: s.Call, scope: Scope) -> Typed:
    if scope.aggregates is None:
        raise UnknownStatement(f"{node.name} is not possible here: {scope.book.text}")
    collected, scope.aggregates = scope.aggregates, None  # no aggregate inside another
    args = [compiled(arg, scope) for arg in node.args]
    order = [(compiled(o.value, scope).fn, o.descending) for o in node.order]
    only = truth(node.only, scope) if node.only is not None else None
    scope.aggregates = collected
    collected.append(aggregate(node, args, order, only))
    place, slot = len(collected) - 1, scope.aggregate_slot
    return Typed(lambda env: env[slot][place], aggregate_type(node.name, args))


def _op(node: s.Op, scope: Scope) -> Typed:
    left, right = compiled(node.left, scope), compiled(node.right, scope)
    if node.op in ("and", "or"):
        return Typed(logic(node.op, left.fn, right.fn), "bool")
    if node.op in ("->", "->>"):
        return json_member(node.op, left.fn, right.fn)
    if {left.type, right.type} == {"interval", "param"} and node.op != "*":
        left, right = as_span(left), as_span(right)
    elif node.op not in ("||", "+", "-", "*", "/", "%"):
        left, right = met(left, right), met(right, left)
    operate = OPERATORS.get(node.op)
    if operate is None:
        raise UnknownStatement(f"operator {node.op} in: {scope.book.text}")
    a, b = left.fn, right.fn
    if node.op == "is distinct":
        return Typed(lambda env: a(env) != b(env), "bool")

    def fn(env: Env) -> Any:
        x, y = a(env), b(env)
        return None if x is None or y is None else operate(x, y)

    arithmetic = node.op in ("+", "-", "*", "/", "%", "||")
    kind = next((t.type for t in (left, right) if t.type not in ("", "param")), "")
    return Typed(fn, kind if arithmetic else "bool")


def _unary(node: s.Unary, scope: Scope) -> Typed:
    fn = compiled(node.value, scope).fn
    if node.op == "not":
        return Typed(lambda env: None if (x := fn(env)) is None else not x, "bool")
    if node.op == "-":
        return Typed(lambda env: None if (x := fn(env)) is None else -x, "")
    wanted = {"is null": None, "is true": True, "is false": False}[node.op]
    return Typed(lambda env: fn(env) is wanted, "bool")


def _cast(node: s.Cast, scope: Scope) -> Typed:
    value, kind = compiled(node.value, scope), type_of(node.type)
    fn = value.fn
    if kind == "json":
        return Typed(as_type(value, "json"), "json")
    if kind == "text" and value.type in ("json", "text"):
        return Typed(fn, "text")
    if kind == value.type:
        return Typed(fn, kind)
    if value.type == "param" and kind.removesuffix("[]") in _AS_GIVEN:
        return Typed(fn, kind)
    cast = cast_to(kind)
    return Typed(lambda env: cast(fn(env)), kind)


def _case(node: s.Case, scope: Scope) -> Typed:
    pairs = [
        (
            when if node.operand is None else s.Op("=", node.operand, when),
            then,
        )
        for when, then in node.whens
    ]
    branches = [(truth(when, scope), compiled(then, scope)) for when, then in pairs]
    default = compiled(node.default, scope)

    def fn(env: Env) -> Any:
        for holds, then in branches:
            if holds(env):
                return then.fn(env)
        return default.fn(env)

    kinds = [then.type for _, then in branches if then.type] + [default.type]
    return Typed(fn, kinds[0])


def _quantified(node: s.Quantified, scope: Scope) -> Typed:
    left = compiled(node.left, scope)
    if isinstance(node.right, s.Select):
        plan = subselect(node.right, scope)
        items = first_column(plan, wide=isinstance(node.left, s.Tuple))
    else:
        right = compiled(node.right, scope)
        kind = f"{left.type}[]" if left.type not in ("", "param") else right.type
        items = as_type(right, kind)
    a, compare, every = as_type(left, ""), OPERATORS[node.op], node.every

    def fn(env: Env) -> bool | None:
        x, found = a(env), items(env)
        if found is None or (x is None and found):
            return None
        unknown = False
        for y in found:
            if y is None:
                unknown = True
            elif compare(x, y) is not every:
                return not every
        return None if unknown else every

    return Typed(fn, "bool")


def _one_of(node: s.OneOf, scope: Scope) -> Typed:
    left = compiled(node.left, scope)
    items = [as_type(compiled(item, scope), left.type) for item in node.items]
    a = left.fn
    if all(isinstance(item, s.Const) and item.value is not None for item in node.items):
        constants = frozenset(item([]) for item in items)
        return Typed(lambda env: None if (x := a(env)) is None else x in constants, "bool")

    def fn(env: Env) -> bool | None:
        x = a(env)
        if x is None:
            return None
        found = [item(env) for item in items]
        return True if any(y == x for y in found) else (None if None in found else False)

    return Typed(fn, "bool")


def _exists(node: s.Exists, scope: Scope) -> Typed:
    plan = subselect(node.select, scope)
    return Typed(plan.any, "bool")


def _scalar(node: s.Select, scope: Scope) -> Typed:
    plan = subselect(node, scope)

    def fn(env: Env) -> Any:
        rows = plan.run(env)
        return rows[0][0] if rows else None

    return Typed(fn, plan.columns[0][1])


def _array(node: s.ArrayOf, scope: Scope) -> Typed:
    if node.select is not None:
        plan = subselect(node.select, scope)
        return Typed(lambda env: [row[0] for row in plan.run(env)], plan.columns[0][1] + "[]")
    items = [compiled(item, scope) for item in node.items]
    kind = items[0].type if items else ""
    return Typed(lambda env: [item.fn(env) for item in items], f"{kind}[]")


def _index(node: s.Index, scope: Scope) -> Typed:
    value, place = compiled(node.value, scope), compiled(node.place, scope).fn

    def fn(env: Env) -> Any:
        array, number = value.fn(env), place(env)
        if array is None or number is None or not 0 < number <= len(array):
            return None
        return array[number - 1]

    return Typed(fn, value.type.removesuffix("[]"))


def _extract(node: s.Extract, scope: Scope) -> Typed:
    if node.part != "epoch":
        raise UnknownStatement(f"extract({node.part}) in: {scope.book.text}")
    fn = compiled(node.value, scope).fn

    def seconds(env: Env) -> float | None:
        value = fn(env)
        if value is None:
            return None
        return float(
            value.total_seconds() if hasattr(value, "total_seconds") else value.timestamp()
        )

    return Typed(seconds, "float")


def _tuple(node: s.Tuple, scope: Scope) -> Typed:
    items = [compiled(item, scope).fn for item in node.items]
    return Typed(lambda env: tuple(item(env) for item in items), "")


# What the driver takes for these is of the right Python type already.
_AS_GIVEN = {"text", "bytea", "int", "bool", "timestamptz", "interval"}
_COMPILERS: dict[type, Callable[[Any, Scope], Typed]] = {
    s.Const: _const,
    s.Param: _param,
    s.Col: _col,
    s.Call: _call,
    s.Op: _op,
    s.Unary: _unary,
    s.Cast: _cast,
    s.Case: _case,
    s.Quantified: _quantified,
    s.OneOf: _one_of,
    s.Exists: _exists,
    s.Select: _scalar,
    s.ArrayOf: _array,
    s.Index: _index,
    s.Extract: _extract,
    s.Tuple: _tuple,
}
