"""PostgreSQL's functions, as far as services call them."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from chassis.testing.simulation.postgres.sql import syntax as s
from chassis.testing.simulation.postgres.sql.scope import Env, Fn, Scope, Typed
from chassis.testing.simulation.postgres.sql.tokens import UnknownStatement
from chassis.testing.simulation.postgres.sql.values import greatest, hashed, json_of, least, text_of

AGGREGATES = {
    "jsonb_agg",
    "json_agg",
    "count",
    "min",
    "max",
    "sum",
    "array_agg",
    "bool_or",
    "bool_and",
    "string_agg",
}


def call(node: s.Call, args: Sequence[Typed], scope: Scope) -> Typed:
    """A function that gives one value. Raises UnknownStatement."""
    name, book = node.name, scope.book
    if name in ("now", "clock_timestamp", "transaction_timestamp", "statement_timestamp"):
        return Typed(lambda env: env[0].now, "timestamptz")
    fns = [arg.fn for arg in args]
    kind = next((arg.type for arg in args if arg.type not in ("", "param")), "")
    if name == "coalesce":
        return Typed(lambda env: next((v for fn in fns if (v := fn(env)) is not None), None), kind)
    if name in ("least", "greatest"):
        choose = least if name == "least" else greatest
        return Typed(lambda env: choose([fn(env) for fn in fns]), kind)
    if name == "nullif":
        return Typed(lambda env: None if (v := fns[0](env)) == fns[1](env) else v, kind)
    if name == "jsonb_build_object":
        return Typed(_object(args), "json")
    if name == "to_regclass":
        return Typed(lambda env: v if (v := fns[0](env)) in env[0].tables else None, "text")
    if name == "pg_notify":
        return Typed(lambda env: env[0].transaction.notices.append((fns[0](env), fns[1](env))), "")
    if name in book.procedures:
        procedure = book.procedures[name]
        return Typed(lambda env: procedure(env[0], [fn(env) for fn in fns]), "")
    plain = _PLAIN.get(name)
    if plain is None:
        raise UnknownStatement(f"function {name} in: {book.text}")
    operate, result = plain

    def fn(env: Env) -> Any:
        values = [each(env) for each in fns]
        return None if None in values else operate(*values)

    return Typed(fn, result or kind)


def aggregate(
    node: s.Call,
    args: Sequence[Typed],
    order: Sequence[tuple[Fn, bool]],
    only: Fn | None,
) -> Fn:
    """A function of the rows (Envs) of a group."""
    name = node.name
    value: Fn = args[0].fn if args else lambda env: True
    rest = args[1].fn if len(args) > 1 else None

    def fn(rows: Sequence[Env]) -> Any:
        chosen = [row for row in rows if only is None or only(row)]
        for key, descending in reversed(order):
            chosen.sort(key=key, reverse=descending)
        values = [value(row) for row in chosen]
        if name == "array_agg":
            return values or None
        if name in ("jsonb_agg", "json_agg"):
            documents = args[0].type == "json"
            loaded = [orjson.loads(v) if documents and v is not None else v for v in values]
            return json_of(loaded) if loaded else None
        values = [v for v in values if v is not None]
        if node.distinct:
            values = list({hashed(v): v for v in values}.values())
        if name == "string_agg" and rest is not None:
            return str(rest(chosen[0])).join(values) if values else None
        return _FOLDS[name](values)

    return fn


def aggregate_type(name: str, args: Sequence[Typed]) -> str:
    """The type of an aggregate's value."""
    kind = "int" if name == "count" else (args[0].type if args else "")
    if name in ("jsonb_agg", "json_agg"):
        return "json"
    return f"{kind}[]" if name == "array_agg" else kind


def table_function(node: s.Call, args: Sequence[Typed], scope: Scope) -> Callable[[Env], Any]:
    """A function after FROM: its rows as tuples. Raises UnknownStatement."""
    fns = [arg.fn for arg in args]
    if node.name == "unnest":
        return lambda env: _unnested([fn(env) or () for fn in fns])
    if node.name == "generate_series":
        return lambda env: [(n,) for n in range(fns[0](env), fns[1](env) + 1)]
    procedure = scope.book.procedures.get(node.name)
    if procedure is None:
        raise UnknownStatement(f"function {node.name} in: {scope.book.text}")
    return lambda env: procedure(env[0], [fn(env) for fn in fns])


def _json_set(document: str, path: Any, value: str) -> str:  # the path: '{a,b}' or a list
    names = path.strip("{}").split(",") if isinstance(path, str) else path
    made = found = orjson.loads(document)
    for name in names[:-1]:
        found = found[name]
    found[names[-1]] = orjson.loads(value)
    return json_of(made)


def _unnested(arrays: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Side by side; a shorter array is filled up with NULL."""
    if len(arrays) == 1:
        return [(value,) for value in arrays[0]]
    size = max(map(len, arrays))
    if all(len(array) == size for array in arrays):
        return list(zip(*arrays, strict=True))
    filled = [[*array, *[None] * (size - len(array))] for array in arrays]
    return list(zip(*filled, strict=True))


def _object(args: Sequence[Typed]) -> Fn:
    pairs = list(zip(args[::2], args[1::2], strict=True))

    def fn(env: Env) -> str:
        made: dict[str, object] = {}
        for name, value in pairs:
            found = value.fn(env)
            if value.type == "json" and found is not None:
                found = orjson.loads(found)
            made[name.fn(env)] = found
        return json_of(made)

    return fn


_FOLDS: dict[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
    "sum": lambda values: sum(values) if values else None,
    "bool_or": lambda values: any(values) if values else None,
    "bool_and": lambda values: all(values) if values else None,
}
_PLAIN: dict[str, tuple[Callable[..., Any], str]] = {
    "cardinality": (len, "int"),
    "array_length": (lambda array, _: len(array) or None, "int"),
    "array_remove": (lambda array, gone: [v for v in array if v != gone], ""),
    "array_append": (lambda array, value: [*array, value], ""),
    "jsonb_set": (_json_set, "json"),
    "length": (len, "int"),
    "lower": (str.lower, "text"),
    "upper": (str.upper, "text"),
    "left": (lambda text, count: text[:count], "text"),
    "encode": (lambda data, _: data.hex(), "text"),
    "convert_from": (lambda data, _: bytes(data).decode(), "text"),
    "convert_to": (lambda text, _: text.encode(), "bytea"),
    "octet_length": (len, "int"),
    "abs": (abs, ""),
    "round": (lambda value, places=0: round(value, places), "float"),
    "ceil": (lambda value: float(-(-value // 1)), "float"),
    "floor": (lambda value: float(value // 1), "float"),
    "text": (text_of, "text"),
}
