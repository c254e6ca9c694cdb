"""Functions made of functions: logic of three values, members of JSON."""

from typing import TYPE_CHECKING, Any

import orjson

from chassis.testing.simulation.postgres.sql.scope import Env, Fn, Typed
from chassis.testing.simulation.postgres.sql.values import text_of

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
