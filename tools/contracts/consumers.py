"""Consumers: who in this tree reads a message, found in the code itself.

A handler's annotated parameter is the surest: in `async def f(event: AppDeleted)` the attributes
of `event` are what it reads. Any other module that imports the contract is a reader of every name
that it uses.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = ("services", "sagas")


@dataclass(frozen=True, slots=True)
class Reader:
    """A place in the code, and the attribute names that it uses of the message."""

    place: str  # "services/billing/handlers.py: free_units"
    fields: frozenset[str] = field(default_factory=frozenset)


def readers(root: Path = ROOT) -> dict[str, list[Reader]]:
    """By the contract's class name."""
    found: dict[str, list[Reader]] = defaultdict(list)
    for place in PLACES:
        for file in sorted((root / place).rglob("*.py")):
            for name, reader in _readers_in(file, file.relative_to(root).as_posix()):
                found[name].append(reader)
    return found


def _readers_in(file: Path, shown: str) -> Iterator[tuple[str, Reader]]:
    tree = ast.parse(file.read_text())
    imported = set(_imported(tree))
    annotated: set[str] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for argument in node.args.args:
            for name in _names(argument.annotation) & imported:
                annotated.add(name)
                used = frozenset(_attributes_of(node, argument.arg))
                yield name, Reader(f"{shown}: {node.name}", used)
    everything = frozenset(n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute))
    for name in imported - annotated:
        yield name, Reader(shown, everything)


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("contracts."):
            for alias in node.names:
                yield alias.name


def _names(annotation: ast.AST | None) -> set[str]:
    if annotation is None:
        return set()
    return {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}


def _attributes_of(function: ast.AST, variable: str) -> Iterable[str]:
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == variable
        ):
            yield node.attr


def subscribers(root: Path = ROOT) -> dict[str, set[str]]:
    """Which services handle an event, by its class name; "*" for those that hear every one."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in sorted((root / "services").glob("*/handlers*")):
        for module in [file] if file.is_file() else sorted(file.glob("*.py")):
            for function in ast.parse(module.read_text()).body:
                if isinstance(function, ast.AsyncFunctionDef) and function.args.args:
                    for name in _names(function.args.args[0].annotation):
                        found["*" if name in ("Fact", "Envelope") else name].add(file.parent.name)
    return found
