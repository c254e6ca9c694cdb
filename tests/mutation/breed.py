"""Mutants of a module, made by mutmut's operators.

mutmut itself leaves functions with decorators alone; here properties, cached functions and context
managers are mutated too. Left alone are texts of `assert` and what log lines say, which are for
people and nobody's contract, and whatever stands outside of functions.
"""

from collections.abc import Iterator
from functools import partial
from textwrap import indent

import libcst as cst
import libcst.matchers as matchers
from libcst.metadata import MetadataWrapper
from mutmut.mutation.file_mutation import Mutation, MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

from tests.mutation.mutant import ROOT, Mutant, named, path_of

DECORATORS = {
    "property",
    "cached_property",
    "cache",
    "staticmethod",
    "classmethod",
    "contextmanager",
    "asynccontextmanager",
}
"""A function with other decorators is left alone."""

_LOG = matchers.Attribute(value=matchers.Name("log"))


class _Visitor(MutationVisitor):
    """Goes into functions with known decorators, and not into texts of assertions and logs."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef) and node.decorators:
            names = {getattr(one.decorator, "value", "") for one in node.decorators}
            return not names <= DECORATORS
        if isinstance(node, cst.Assert) and node.msg is not None:
            self._texts.add(node.msg)
        if isinstance(node, cst.Call) and matchers.matches(node.func, _LOG):
            return True
        return node in self._texts or super()._skip_node_and_children(node)

    def __init__(self) -> None:
        super().__init__(mutation_operators, IgnoredCode(set(), set(), set()))
        self._texts: set[cst.CSTNode] = set()


def breed(module: str, text: str | None = None) -> Iterator[Mutant]:
    """Every mutant of a module, those that read the same but once."""
    text = (ROOT / path_of(module)).read_text() if text is None else text
    visitor = _Visitor()
    tree = MetadataWrapper(cst.parse_module(text)).visit(visitor)
    owners = dict(_functions(tree))
    seen: dict[str, int] = {}
    known: set[tuple[str, str]] = set()
    for mutation in visitor.mutations:
        owner = mutation.contained_by_top_level_function
        if not isinstance(owner, cst.FunctionDef) or owner not in owners:
            continue
        original, changed = tree.code_for_node(owner), _changed(tree, owner, mutation)
        if changed == original or (owners[owner], changed) in known:
            continue
        known.add((owners[owner], changed))
        name = named(module, owners[owner], original, changed, seen)
        source = partial(_source, tree, mutation, original, changed)
        yield Mutant(module, owners[owner], name, original, source)


def _changed(tree: cst.Module, owner: cst.FunctionDef, mutation: Mutation) -> str:
    made = owner.deep_replace(mutation.original_node, mutation.mutated_node)
    return tree.code_for_node(made) if isinstance(made, cst.CSTNode) else ""


def _source(tree: cst.Module, mutation: Mutation, original: str, changed: str) -> str:
    """The module with the mutant in it; most functions are found in the text, which is quick."""
    text = tree.code
    for margin in ("", tree.default_indent):
        before = indent(original, margin)
        if text.count(before) == 1:
            return text.replace(before, indent(changed, margin))
    made = tree.deep_replace(mutation.original_node, mutation.mutated_node)
    assert isinstance(made, cst.Module)
    return made.code


def _functions(tree: cst.Module) -> Iterator[tuple[cst.FunctionDef, str]]:
    for statement in tree.body:
        if isinstance(statement, cst.FunctionDef):
            yield statement, statement.name.value
        elif isinstance(statement, cst.ClassDef):
            for inner in statement.body.body:
                if isinstance(inner, cst.FunctionDef):
                    yield inner, f"{statement.name.value}.{inner.name.value}"
