"""Scopes of a JavaScript syntax tree: which names are declared in it, and which come from outside.

One walk without recursion, so that ten thousand brackets are as good as one: it declares names and
notes uses; only afterwards is each use looked up, for a declaration counts before its place too.
"""

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tree_sitter import Node

_NAMES = frozenset(("identifier", "shorthand_property_identifier_pattern", "undefined"))
_WORDS_TEXT = """
await break case catch class const continue debugger default delete do else export extends false
finally for function if import in instanceof new null return super switch this throw true try typeof
var void while with yield
"""
WORDS = frozenset(_WORDS_TEXT.split())
"""Keywords; tree-sitter sometimes takes one for a name."""


Visits = Mapping[str, Callable[["Scopes", Node, "Scope"], None]]
"""What to do about a kind of node; about others nothing but to look into them."""


DEEP = 64
"""Scopes in one another; from here on names are not looked up one by one."""


@dataclass(slots=True)
class Scope:
    """`holds_vars`: a `var` in it is declared here and not further out."""

    outer: "Scope | None"
    holds_vars: bool = False
    names: set[str] = field(default_factory=set)
    depth: int = field(init=False)
    _for_vars: "Scope | None" = field(init=False)

    def __post_init__(self) -> None:
        self.depth = 0 if self.outer is None else self.outer.depth + 1
        self._for_vars = None if self.holds_vars or self.outer is None else self.outer.for_vars

    @property
    def for_vars(self) -> "Scope":
        """Where a `var` in it is declared."""
        return self._for_vars or self


@dataclass(frozen=True, slots=True)
class Found:
    """A use of a name: its node, the members that follow, and the key whose value it is."""

    node: Node
    path: tuple[str, ...] = ()
    shorthand: bool = False
    key: Node | None = None


class Scopes:
    """What a tree declares and uses. `doubts`: kind and byte range of what nobody can tell."""

    def __init__(self, root: Node, visits: Visits) -> None:
        self.doubts: list[tuple[str, tuple[int, int]]] = []
        self.foreign_syntax = False
        self._uses: list[tuple[str, Found, Scope]] = []
        self._mentions: list[tuple[str, Node, Scope]] = []
        self._pending: list[tuple[Node, Scope]] = [(root, Scope(None, holds_vars=True))]
        while self._pending:
            node, scope = self._pending.pop()
            visit = visits.get(node.type)
            if visit is not None:
                visit(self, node, scope)
            elif node.type.startswith("jsx_"):
                self.foreign_syntax = True
            else:
                self.later(node.named_children, scope)

    def free(self) -> list[Found]:
        """The uses of names that no scope around them declares."""
        found = []
        free = _are_free([(name, scope) for name, _, scope in self._uses])
        for (name, use, _), is_free in zip(self._uses, free, strict=True):
            if is_free and name not in WORDS:
                found.append(use)
                if name in ("eval", "Function"):
                    self.doubts.append(("eval", use.node.byte_range))
        return found

    def mentions(self) -> list[tuple[str, Node]]:
        """Texts that were given to functions that nothing here declares, with those functions."""
        free = _are_free([(name, scope) for name, _, scope in self._mentions])
        told = zip(self._mentions, free, strict=True)
        return [(name, node) for (name, node, _), is_free in told if is_free]

    def mention(self, function: str, text: Node, scope: Scope) -> None:
        self._mentions.append((function, text, scope))

    def later(self, nodes: list[Node], scope: Scope) -> None:
        """To be visited."""
        for node in nodes:
            self._pending.append((node, scope))

    def field(self, node: Node, name: str, scope: Scope) -> None:
        """To be visited: one child, if it is there."""
        child = node.child_by_field_name(name)
        if child is not None:
            self._pending.append((child, scope))

    def use(self, found: Found, scope: Scope) -> None:
        self._uses.append((text_of(found.node), found, scope))

    def declare(self, pattern: Node | None, scope: Scope, around: Scope) -> None:
        """The names of a pattern belong to `scope`; defaults and computed keys are read `around`
        them."""
        pending = [pattern] if pattern is not None else []
        while pending:
            node = pending.pop()
            kind = node.type
            if kind in _NAMES:
                scope.names.add(text_of(node))
            elif kind in ("assignment_pattern", "object_assignment_pattern"):
                pending += _children(node, "left")
                self.field(node, "right", around)
            elif kind == "pair_pattern":
                self.field(node, "key", around)
                pending += _children(node, "value")
            elif kind in ("object_pattern", "array_pattern", "rest_pattern"):
                pending += node.named_children
            elif kind != "comment":
                self._pending.append((node, around))

    def function(self, node: Node, scope: Scope, *, own_arguments: bool = True) -> None:
        """Parameters have a scope apart from what the body declares."""
        own = Scope(scope)
        if own_arguments:
            own.names.add("arguments")
        self.declare(node.child_by_field_name("parameter"), own, own)
        parameters = node.child_by_field_name("parameters")
        for parameter in parameters.named_children if parameters is not None else ():
            self.declare(parameter, own, own)
        body = node.child_by_field_name("body")
        if body is not None:
            inner = Scope(own, holds_vars=True)
            blocks = body.type == "statement_block"
            self.later(body.named_children if blocks else [body], inner)


_ESCAPE = re.compile(r"\\u(?:([0-9a-fA-F]{4})|\{([0-9a-fA-F]{1,8})\})")


def _are_free(uses: Sequence[tuple[str, Scope]]) -> list[bool]:
    """Of each name in its scope, whether no scope around declares it."""
    if all(scope.depth < DEEP for _, scope in uses):
        return [_is_free(name, scope) for name, scope in uses]
    return _all_at_once(uses)


def _is_free(name: str, scope: Scope) -> bool:
    around: Scope | None = scope
    while around is not None and name not in around.names:
        around = around.outer
    return around is None


def _all_at_once(uses: Sequence[tuple[str, Scope]]) -> list[bool]:
    """The same by one walk through the scopes: in time that does not grow with their depth."""
    places: dict[int, list[int]] = defaultdict(list)
    inside: dict[int, list[Scope]] = defaultdict(list)
    seen: set[int] = set()
    for place, (_, scope) in enumerate(uses):
        places[id(scope)].append(place)
        around: Scope | None = scope
        while around is not None and id(around) not in seen:
            seen.add(id(around))
            inside[id(around.outer)].append(around)
            around = around.outer
    declared: Counter[str] = Counter()
    free = [False] * len(uses)
    pending = [(scope, True) for scope in inside[id(None)]]
    while pending:
        scope, comes = pending.pop()
        if not comes:
            declared.subtract(scope.names)
            continue
        declared.update(scope.names)
        for place in places[id(scope)]:
            free[place] = not declared[uses[place][0]]
        pending.append((scope, False))
        pending += [(one, True) for one in inside[id(scope)]]
    return free


def text_of(node: Node) -> str:
    """The node's text; of a name written with escapes, the name."""
    text = (node.text or b"").decode("utf-8", "replace")
    return text if "\\" not in text else _ESCAPE.sub(_unescaped, text)


def _unescaped(escape: re.Match[str]) -> str:
    code = int(escape[1] or escape[2], 16)
    return chr(code) if code <= sys.maxunicode else escape[0]


def _children(node: Node, name: str) -> list[Node]:
    child = node.child_by_field_name(name)
    return [] if child is None else [child]
