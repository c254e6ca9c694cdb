"""Functions made of functions: logic of three values, members of JSON, values made to fit."""

from typing import TYPE_CHECKING, Any

import orjson

from chassis.testing.simulation.postgres.sql.scope import Env, Fn, Typed
from chassis.testing.simulation.postgres.sql.values import cast_to, json_of, span_of, text_of

if TYPE_CHECKING:
    from chassis.testing.simulation.postgres.sql.selects import SelectPlan


def logic(op: str, a: Fn, b: Fn) -> Fn:
    stops = op == "or"

    def fn(env: Env) -> Any:
        x = a(env)
        if x is stops:
            return stops
        y = b(env)
        if y is stops:
            return stops
        return None if x is None or y is None else not stops

    return fn


def json_member(op: str, a: Fn, b: Fn) -> Typed:
    def fn(env: Env) -> Any:
        document, name = a(env), b(env)
        if document is None or name is None:
            return None
        found = orjson.loads(document)
        try:
            member = found[name]
        except (KeyError, IndexError, TypeError):
            return None
        if op == "->":
            return orjson.dumps(member).decode()
        return member if member is None or isinstance(member, str) else text_of(member)

    return Typed(fn, "json" if op == "->" else "text")


def first_column(plan: "SelectPlan", *, wide: bool) -> Fn:
    return lambda env: [row if wide else row[0] for row in plan.run(env)]


def as_type(value: Typed, kind: str) -> Fn:
    """The value as a column of this type takes it."""
    fn = value.fn
    if kind == "json":
        if value.type != "param":
            return fn
        return lambda env: None if (found := fn(env)) is None else json_of(found)
    if kind in ("uuid", "int", "float", "timestamptz") and value.type != kind:
        cast = cast_to(kind)
        return lambda env: cast(fn(env))
    if kind.endswith("[]") and value.type in ("param", ""):
        cast = cast_to(kind)
        return lambda env: cast(fn(env))
    return fn


def met(value: Typed, other: Typed) -> Typed:
    """What has no type of its own takes the other side's."""
    if value.type in ("", "param") and other.type.removesuffix("[]") in ("uuid", "timestamptz"):
        return Typed(as_type(value, other.type), other.type)
    return value


def as_span(value: Typed) -> Typed:
    fn = value.fn
    return Typed(lambda env: span_of(fn(env)), "interval")
