"""Operators on values that are not NULL."""

import re
from collections.abc import Callable
from typing import Any

from chassis.testing.simulation.postgres.sql.values import hashed, text_of


def _contained(x: Any, y: Any) -> bool:  # arrays
    return set(map(hashed, x)) <= set(map(hashed, y))


def _joined(x: Any, y: Any) -> Any:  # arrays or texts
    if isinstance(x, list) or isinstance(y, list):
        return (x if isinstance(x, list) else [x]) + (y if isinstance(y, list) else [y])
    return text_of(x) + text_of(y)


def _divided(x: Any, y: Any) -> Any:  # numbers or intervals
    if isinstance(x, int) and isinstance(y, int):
        return abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
    return x / y


def _like(text: str, pattern: str) -> bool:
    exact = re.escape(pattern).replace("%", ".*").replace("_", ".")
    return re.fullmatch(exact, text, re.S) is not None


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "=": lambda x, y: x == y,
    "<>": lambda x, y: x != y,
    "<": lambda x, y: x < y,
    ">": lambda x, y: x > y,
    "<=": lambda x, y: x <= y,
    ">=": lambda x, y: x >= y,
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": _divided,
    "%": lambda x, y: x % y,
    "||": _joined,
    "like": _like,
    "~": lambda text, pattern: re.search(pattern, text) is not None,
    "~*": lambda text, pattern: re.search(pattern, text, re.IGNORECASE) is not None,
    "!~": lambda text, pattern: re.search(pattern, text) is None,
    "<@": _contained,
    "@>": lambda x, y: _contained(y, x),
    "is distinct": lambda x, y: x != y,
}
