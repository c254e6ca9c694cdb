"""A mutant: one changed expression in one function, and how it takes the function's place.

The changed code object is put into the function that lives, so whoever imported it meets the
mutant, and nothing has to be imported again.
"""

import ast
import difflib
import gc
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MUTATED = ("chassis.", "tests.mutation.")
"""Packages of which something is mutated."""


class Unfit(Exception):
    """The mutant cannot take its function's place."""


@dataclass(frozen=True)
class Mutant:
    """`module` with another `function` (a qualified name). `name` stays the same for as long as
    the line that it changes does."""

    module: str
    function: str
    name: str
    original: str = field(repr=False)
    source: Callable[[], str] = field(repr=False, compare=False)

    @property
    def file(self) -> str:
        return path_of(self.module)

    def take_place(self) -> None:
        """From now on, in this process, the function is the mutant. Raises Unfit."""
        module = sys.modules[self.module]
        target = function_of(module, self.function)
        text = self.source()
        code = _code_of(compile(text, target.__code__.co_filename, "exec"), self.function)
        if code.co_freevars != target.__code__.co_freevars:
            raise Unfit(f"{self.name}: it closes over other names")
        target.__code__ = code
        _take_defaults(target, text, self.function, module)


def path_of(module: str) -> str:
    return module.replace(".", "/") + ".py"


def named(module: str, function: str, original: str, changed: str, seen: dict[str, int]) -> str:
    """The mutant's name: its function and the lines that differ; numbered when that is not one."""
    before, after = (text.splitlines() for text in (original, changed))
    gone: list[str] = []
    come: list[str] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, first, last, start, end in matcher.get_opcodes():
        if kind != "equal":
            gone += [line.strip() for line in before[first:last]]
            come += [line.strip() for line in after[start:end]]
    name = f"{module}:{function}: {' / '.join(gone)} -> {' / '.join(come)}"
    seen[name] = seen.get(name, 0) + 1
    return name if seen[name] == 1 else f"{name} #{seen[name]}"


def function_of(module: ModuleType, qualified: str) -> FunctionType:
    """The plain function under a name, whatever it is wrapped into."""
    place: Any = module  # a module, then classes
    for part in qualified.split("."):
        place = vars(place)[part]
    return _plain(place)


def _plain(found: Any) -> FunctionType:  # a function or a descriptor
    for inner in ("fget", "func", "__func__", "__wrapped__"):
        while not isinstance(found, FunctionType) and hasattr(found, inner):
            found = getattr(found, inner)
    while hasattr(found, "__wrapped__"):
        found = found.__wrapped__
    assert isinstance(found, FunctionType), found
    return found


def _code_of(code: CodeType, qualified: str) -> CodeType:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if inner.co_qualname == qualified:
                return inner
            if qualified.startswith(inner.co_qualname + "."):
                return _code_of(inner, qualified)
    raise Unfit(f"{qualified} is gone")


def _take_defaults(target: FunctionType, text: str, qualified: str, module: ModuleType) -> None:
    """Defaults live beside the code."""
    node: Any = ast.parse(text)  # any node with a body
    for part in qualified.split("."):
        node = next(inner for inner in node.body if getattr(inner, "name", "") == part)
    names = vars(module)
    plain = [_value(default, names) for default in node.args.defaults]
    target.__defaults__ = tuple(plain) or None
    pairs = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    keyword = {arg.arg: _value(value, names) for arg, value in pairs if value is not None}
    target.__kwdefaults__ = keyword or None


def _value(node: Any, names: dict[str, Any]) -> Any:  # an expression of ast
    return eval(compile(ast.Expression(node), "default", "eval"), names)


class Caches:
    """What the mutated packages have cached. Made once; emptied in each child."""

    def __init__(self) -> None:
        names = [name for name in sys.modules if name.startswith(MUTATED)]
        modules = [sys.modules[name] for name in names]
        self._functions = [
            value
            for module in modules
            for value in vars(module).values()
            if callable(getattr(value, "cache_clear", None))
        ]
        kept = dict(_cached_properties(modules))
        gc.unfreeze()  # what is frozen is not among the objects
        self._things = [
            (thing, kept[type(thing)]) for thing in gc.get_objects() if type(thing) in kept
        ]
        gc.collect()
        gc.freeze()  # a child's collector would touch, and so copy, every page

    def forget(self) -> None:
        """As if all had just been imported."""
        for function in self._functions:
            function.cache_clear()
        for thing, names in self._things:
            for name in names:
                thing.__dict__.pop(name, None)


def _cached_properties(modules: list[ModuleType]) -> Iterator[tuple[type, tuple[str, ...]]]:
    for module in modules:
        for value in list(vars(module).values()):
            if isinstance(value, type) and value.__module__ == module.__name__:
                names = [n for n, v in vars(value).items() if isinstance(v, cached_property)]
                if names:
                    yield value, tuple(names)
