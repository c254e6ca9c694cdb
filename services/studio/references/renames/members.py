"""Where code uses one member of a script, or defines it, and what each place becomes.

`this` is the script's object in all of the exported object except inside a function of the old kind
(or a method, or a class) that is not itself a member: whose `this` that is, only its caller tells.
In a copy of one function alone, which git sync writes beside scripts, that function is the member.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tree_sitter import Node

from services.studio.references.javascript import Doubt, Goal, Parsed, parse
from services.studio.references.members import constant_of, key_of, key_text
from services.studio.references.scopes import text_of
from services.studio.references.splice import Splice

_OWN_THIS = (
    "function_expression",
    "function_declaration",
    "generator_function",
    "generator_function_declaration",
    "method_definition",
)
_FUNCTIONS = ("arrow_function", *_OWN_THIS)
_CLASS = "class_body"

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a script, and the name that it gets."""

    script: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class MemberUses:
    """What one piece of code wants changed; `unclear`: places that nobody can decide about."""

    splices: list[Splice] = field(default_factory=list)
    unclear: list[Range] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _At:
    """A node, what is around it, and whether `this` is the script's object there."""

    node: Node
    around: "_At | None"
    mine: bool


def member_uses(code: str, goal: Goal, member: Member, *, own: bool, named: bool) -> MemberUses:
    """The uses of a member in a piece of code. `own`: it is its script's text, or one of that
    script's functions. `named`: code means this script by its name."""
    words = [member.script] if named else []
    words += ["this", member.old] if own else []
    text = own and goal is Goal.SCRIPT
    escaped = "\\u" in code and bool(words)
    if not (text or escaped or any(word in code for word in words)):
        return MemberUses()
    parsed = parse(code, goal)
    if isinstance(parsed, Doubt):
        return MemberUses([], [(0, len(code))])
    looked = _Look(parsed, member, goal, own=own, named=named)
    doubts = [range_ for kind, range_ in parsed.scopes.doubts if kind != Doubt.COMPUTED]
    doubts += looked.unclear
    ends = parsed.places([(start, end) for start, end, _ in looked.changes] + doubts)
    splices = [Splice(ends[start], ends[end], new) for start, end, new in looked.changes]
    return MemberUses(sorted(splices), sorted({(ends[start], ends[end]) for start, end in doubts}))


class _Look:
    """One walk from the top down, without recursion. Changes and ranges count bytes."""

    def __init__(
        self, parsed: Parsed, member: Member, goal: Goal, *, own: bool, named: bool
    ) -> None:
        self.changes: list[tuple[int, int, str]] = []
        self.unclear: list[Range] = []
        self._member = member
        self._named = {
            use.node.start_byte
            for use in parsed.scopes.free()
            if named and text_of(use.node) == member.script
        }
        self._exported: Node | None = None
        self._alone: Node | None = None
        if own and goal is Goal.SCRIPT:
            self._exported = _exported(parsed.root)
            if self._exported is not None:
                self._keys(self._exported)
        elif own:
            self._alone = _only(parsed.root)
        self._walk(parsed.root)

    def _walk(self, root: Node) -> None:
        pending = [_At(root, None, mine=False)]
        while pending:
            at = pending.pop()
            node = at.node
            if node.type == "this":
                self._this(at)
            elif node.start_byte in self._named and "identifier" in node.type:
                self._whole(at)
            pending += [_At(one, at, self._is_mine(one, at)) for one in node.named_children]

    def _is_mine(self, node: Node, around: _At) -> bool:
        """Whether `this` inside of the node is the script's object."""
        if node in (self._exported, self._alone):
            return True
        if node.type == _CLASS:
            return False
        if node.type not in _OWN_THIS:
            return around.mine
        holder = around.node
        if holder.type == "pair" and around.around is not None:
            holder = around.around.node
        return self._exported is not None and holder == self._exported

    def _this(self, at: _At) -> None:
        if at.mine:
            self._whole(at)
            return
        if self._exported is None and self._alone is None:
            return
        seen, doubts = len(self.changes), len(self.unclear)
        self._whole(at)
        del self.unclear[doubts:]
        self.unclear += [(start, end) for start, end, _ in self.changes[seen:]]
        del self.changes[seen:]

    def _whole(self, at: _At) -> None:
        """The script itself stands here: which of its members is used, if that can be told."""
        value, holder = at.node, at.around
        while holder is not None and holder.node.type == "parenthesized_expression":
            value, holder = holder.node, holder.around
        around = None if holder is None else holder.node
        if holder is None or around is None:
            return
        if around.type == "member_expression" and _is(around, "object", value):
            last = around.child_by_field_name("property")
            if last is not None and text_of(last) == self._member.old:
                self._change(last.byte_range)
        elif around.type == "subscript_expression" and _is(around, "object", value):
            self._subscript(around)
        elif around.type == "variable_declarator" and _is(around, "value", value):
            self._taken_apart(around.child_by_field_name("name"), at.node)
        elif around.type == "assignment_expression" and _is(around, "right", value):
            self._taken_apart(around.child_by_field_name("left"), at.node)
            if holder.around is not None and not _is_dropped(holder):
                self.unclear.append(at.node.byte_range)
        else:
            self.unclear.append(at.node.byte_range)

    def _subscript(self, node: Node) -> None:
        index = node.child_by_field_name("index")
        index = None if index is None else _bare(index)
        name = constant_of(index)
        if name is None:
            self.unclear.append(node.byte_range)
        elif name == self._member.old and index is not None:
            self._change(_inside(index))

    def _taken_apart(self, pattern: Node | None, script: Node) -> None:
        """`const {fun1} = Script`: the variables keep their names."""
        if pattern is None or pattern.type != "object_pattern":
            self.unclear.append(script.byte_range)
            return
        seen = len(self.changes)
        for one in pattern.named_children:
            if one.type == "object_assignment_pattern":
                self._key(one.child_by_field_name("left"), one)
            elif one.type == "rest_pattern" and len(self.changes) == seen:
                self.unclear.append(one.byte_range)
            elif one.type not in ("comment", "rest_pattern"):
                self._key(key_of(one), one)

    def _keys(self, exported: Node) -> None:
        """The member itself, where the script defines it."""
        for one in exported.named_children:
            if one.type not in ("comment", "spread_element"):
                self._key(key_of(one), one)

    def _key(self, key: Node | None, entry: Node) -> None:
        if key is None:
            return
        if key.type == "computed_property_name":
            key = _bare(next(one for one in key.named_children if one.type != "comment"))
            name = constant_of(key)
        else:
            name = key_text(key)
        if name is None:
            self.unclear.append(key.byte_range)
        elif name == self._member.old:
            if key.type.startswith("shorthand_property_identifier"):
                written = (key.text or b"").decode("utf-8", "replace")
                self._change(key.byte_range, f"{self._member.new}: {written}")
            elif key.type == "property_identifier":
                self._plain_key(key, entry)
            else:
                self._change(_inside(key))

    def _plain_key(self, key: Node, entry: Node) -> None:
        """`{old: new}` becomes `{new}`: what a rename has expanded, the one back closes again."""
        value = entry.child_by_field_name("value")
        if value is not None and value.type == "assignment_pattern":
            value = value.child_by_field_name("left")
        if value is None or value.type != "identifier" or text_of(value) != self._member.new:
            self._change(key.byte_range)
        elif value.start_byte - key.end_byte == 2 and _is_spaced(entry, key, value):
            self._change((key.start_byte, value.end_byte))
        else:
            self._change(key.byte_range)

    def _change(self, range_: Range, new: str = "") -> None:
        self.changes.append((*range_, new or self._member.new))


def _exported(root: Node) -> Node | None:
    """The object that a module exports, in parentheses or not."""
    for one in root.named_children:
        value = one.child_by_field_name("value")
        if value is not None and _bare(value).type == "object":
            return _bare(value)
    return None


def _bare(node: Node) -> Node:
    """What the parentheses around it hold."""
    while node.type == "parenthesized_expression":
        inside = [one for one in node.named_children if one.type != "comment"]
        if not inside:
            break
        node = inside[0]
    return node


def _only(root: Node) -> Node | None:
    """The function that is all of the code, in the parentheses that it was parsed in."""
    node: Node | None = root
    while node is not None and node.type not in _FUNCTIONS:
        inside = [one for one in node.named_children if one.type != "comment"]
        around = node.type in ("program", "expression_statement", "parenthesized_expression")
        node = inside[0] if around and len(inside) == 1 else None
    return node


def _is(node: Node, name: str, child: Node) -> bool:
    return node.child_by_field_name(name) == child


def _is_dropped(assignment: _At) -> bool:
    """Whether nobody takes the value of an assignment."""
    around = assignment.around
    while around is not None and around.node.type == "parenthesized_expression":
        around = around.around
    return around is not None and around.node.type == "expression_statement"


def _inside(text: Node) -> Range:
    """What stands between the quotes of a string, or of one in brackets."""
    return next(_fragments(text)).byte_range


def _fragments(node: Node) -> Iterator[Node]:
    for one in node.named_children:
        if one.type == "string_fragment":
            yield one
        else:
            yield from _fragments(one)


def _is_spaced(entry: Node, key: Node, value: Node) -> bool:
    """Whether the two stand as `key: value`."""
    start = entry.start_byte
    between = (entry.text or b"")[key.end_byte - start : value.start_byte - start]
    return between == b": "
