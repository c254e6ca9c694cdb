"""The names that JavaScript code takes from outside: parsed, with real scopes, never searched for.

tree-sitter parses (and yields a tree for anything); the scopes are those of ECMA-262 as
eslint-scope models them, with which the results are compared name by name (tests/realapps).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

from services.studio.references.members import ExportedMember, members_of
from services.studio.references.scopes import Scopes, text_of
from services.studio.references.syntax import scopes_of

CODE_BYTES_MAX = 256 * 1024
"""Longer code is not looked into: the bound must be one of size, for it decides what is found."""

_INVISIBLE = tuple(sign.encode() for sign in ("\u200b", "\u2060"))
"""Zero width space, word joiner."""

_NO_PYTHON = re.compile("[$\u200c\u200d]")
"""Signs that names may have in JavaScript alone."""

_PARSER = Parser(Language(tree_sitter_javascript.language()))


class Goal(StrEnum):
    """What code is: a value, statements that a trigger runs, or a module."""

    DATA = "data"
    TRIGGER = "trigger"
    SCRIPT = "script"


class Doubt(StrEnum):
    """Why something about code cannot be told."""

    COMPUTED = "computed"  # `Table1[key]`: which member, only running it would tell
    EVAL = "eval"  # text becomes code
    WITH = "with"  # any name may be a member
    BROKEN = "broken"  # no JavaScript
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class Name:
    """A name from outside at `code[start:end]`, in code points. `path`: the members that follow it
    as far as they can be told. `shorthand`: it is key and value at once, as in `{Query1}`.
    `key_start`: where the key begins whose whole value it is, as in `{rows: Query1}`."""

    name: str
    start: int
    end: int
    path: tuple[str, ...] = ()
    shorthand: bool = False
    key_start: int | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """A text at `code[start:end]` that a function takes for a name, as in `showModal('Dialog')`."""

    name: str
    start: int
    end: int
    function: str


@dataclass(frozen=True, slots=True)
class Uncertain:
    """What cannot be told about `code[start:end]`."""

    doubt: Doubt
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the object that a module exports, at `code[start:end]`."""

    name: str
    start: int
    end: int
    is_function: bool


@dataclass(frozen=True, slots=True)
class Names:
    """What is found in one piece of code, in its order. `members`: those of a script."""

    found: tuple[Name, ...] = ()
    doubts: tuple[Uncertain, ...] = ()
    members: tuple[Member, ...] = ()
    mentions: tuple[Mention, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether it is no JavaScript: nothing is known of it then."""
        return any(one.doubt is Doubt.BROKEN for one in self.doubts)


_NOTHING = Names()


def names_in(code: str, goal: Goal) -> Names:
    """All free names of the code. Never raises, whatever the code is.

    >>> [(n.name, n.path) for n in names_in("Table1.data.map(x => x.id + y)", Goal.DATA).found]
    [('Table1', ('data', 'map')), ('y', ())]
    """
    if not code or code.isspace():
        return _NOTHING
    parsed = parse(code, goal)
    if isinstance(parsed, Doubt):
        return Names(doubts=(Uncertain(parsed, 0, len(code)),))
    members = members_of(parsed.root) if goal is Goal.SCRIPT else []
    return _told(parsed, members)


@dataclass(frozen=True, slots=True)
class Parsed:
    """Code's syntax tree and its scopes. Its nodes count bytes; see `places`."""

    root: Node
    scopes: Scopes
    _source: bytes
    _shift: int
    _ascii_only: bool

    def places(self, ranges: Iterable[tuple[int, int]]) -> "Places":
        """Where the ends of some ranges of bytes are in the code."""
        return Places(self._source, ranges, self._shift, ascii_only=self._ascii_only)


def parse(code: str, goal: Goal) -> Parsed | Doubt:
    """The code's tree, or why there is none: it is broken, or too large to be looked into."""
    source = code.encode("utf-8", "surrogatepass")
    if len(source) > CODE_BYTES_MAX:
        return Doubt.TOO_LARGE
    for wrapped, shift in _tries(source, goal):
        root = _PARSER.parse(wrapped).root_node
        if root.has_error or (shift and not _is_value(root)):
            continue
        if _is_seen_through(wrapped, root) or _escapes_no_name(wrapped, root):
            continue
        scopes = scopes_of(root)
        if not scopes.foreign_syntax:
            return Parsed(root, scopes, source, shift, len(source) == len(code))
    return Doubt.BROKEN


def _tries(source: bytes, goal: Goal) -> list[tuple[bytes, int]]:
    """How the code may be meant, and by how much that moves it."""
    if goal is not Goal.DATA:
        return [(source, 0), (_as_value(source), 1)][: 2 if goal is Goal.TRIGGER else 1]
    return [(_as_value(source), 1), (source, 0)]


def _as_value(source: bytes) -> bytes:
    """In parentheses, a comment at its end notwithstanding."""
    return b"(" + source.rstrip().removesuffix(b";") + b"\n)"


def _is_seen_through(source: bytes, root: Node) -> bool:
    """Whether something invisible stands between the words of the code, where JavaScript knows no
    such thing: the parser takes it for white space."""
    for sign in _INVISIBLE:
        at = source.find(sign)
        while at >= 0:
            around = root.descendant_for_byte_range(at, at + len(sign))
            if around is None or around.child_count:
                return True
            at = source.find(sign, at + len(sign))
    return False


def _escapes_no_name(source: bytes, root: Node) -> bool:
    """Whether a name is written with an escape of what no name has, as `\\u0000`: the parser does
    not ask, and such a name can neither be stored nor told."""
    pending = [root] if b"\\u" in source else []
    while pending:
        node = pending.pop()
        pending += node.named_children
        if "identifier" in node.type and b"\\" in (node.text or b""):
            name = text_of(node).removeprefix("#")
            if not _NO_PYTHON.sub("_", name).isidentifier():
                return True
    return False


def _is_value(root: Node) -> bool:
    """Whether the parentheses are around all of it: `a) + (b` gives two."""
    only = root.named_children[0]
    value = only.named_children[0] if only.named_children else only
    return value.type == "parenthesized_expression" and value.end_byte == root.end_byte


def _told(parsed: Parsed, members: list[ExportedMember]) -> Names:
    scopes = parsed.scopes
    free = scopes.free()
    if not (free or members or scopes.doubts):
        return _NOTHING
    ranges = [(one.node.start_byte, one.node.end_byte) for one in free]
    mentions = sorted(scopes.mentions(), key=lambda one: one[1].start_byte)
    ranges += [text.byte_range for _, text in mentions]
    ranges += [one.key.byte_range for one in free if one.key is not None]
    ranges += [range_ for *_, range_ in scopes.doubts] + [one.range_ for one in members]
    at = parsed.places(ranges)
    names = []
    for one in free:
        start, end = at[one.node.start_byte], at[one.node.end_byte]
        key_start = None if one.key is None else at[one.key.start_byte]
        names.append(Name(text_of(one.node), start, end, one.path, one.shorthand, key_start))
    doubts = [Uncertain(Doubt(kind), at[start], at[end]) for kind, (start, end) in scopes.doubts]
    told = [Member(m.name, at[m.range_[0]], at[m.range_[1]], m.is_function) for m in members]
    return Names(
        tuple(sorted(names, key=lambda one: one.start)),
        tuple(sorted(doubts, key=lambda one: one.start)),
        tuple(told),
        tuple(Mention(text_of(m), at[m.start_byte], at[m.end_byte], by) for by, m in mentions),
    )


class Places:
    """Code points by byte, all counted in one pass."""

    def __init__(
        self, source: bytes, ranges: Iterable[tuple[int, int]], shift: int, *, ascii_only: bool
    ) -> None:
        self._shift = shift
        self._at: dict[int, int] = {}
        if ascii_only:
            return
        read = points = 0
        for place in sorted({place for range_ in ranges for place in range_}):
            points += len(source[read : place - shift].decode("utf-8", "surrogatepass"))
            read = place - shift
            self._at[place] = points

    def __getitem__(self, place: int) -> int:
        return self._at.get(place, place - self._shift) if self._at else place - self._shift
