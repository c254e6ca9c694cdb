"""Members: what an expression names by a constant, and what a module exports."""

from dataclasses import dataclass

from tree_sitter import Node

from services.studio.references.scopes import text_of

_FUNCTIONS = ("arrow_function", "function_expression", "generator_function")


@dataclass(frozen=True, slots=True)
class ExportedMember:
    """A member of the object that is exported; its range in bytes."""

    name: str
    range_: tuple[int, int]
    is_function: bool


def members_of(root: Node) -> list[ExportedMember]:
    """The members of a module's `export default {...}`; those with computed names left out."""
    exported = (one.child_by_field_name("value") for one in root.named_children)
    value = next((one for one in exported if one is not None and one.type == "object"), None)
    found = []
    for one in value.named_children if value is not None else ():
        key = key_of(one)
        inner = one.child_by_field_name("value")
        function = one.type == "method_definition" or (
            inner is not None and inner.type in _FUNCTIONS
        )
        computed = key is None or key.type == "computed_property_name"
        name = None if key is None or computed else key_text(key)
        if name:
            found.append(ExportedMember(name, one.byte_range, function))
    return found


def key_of(member: Node) -> Node | None:
    """What names a member of an object, or of a pattern."""
    if member.type.startswith("shorthand_property_identifier"):
        return member
    return member.child_by_field_name("name" if member.type == "method_definition" else "key")


def key_text(key: Node) -> str | None:
    """The name that a key gives; None when only running it would tell."""
    if key.type == "computed_property_name":
        return constant_of(next((one for one in key.named_children), None))
    if "property_identifier" in key.type:
        return text_of(key)
    return constant_of(key)


def constant_of(index: Node | None) -> str | None:
    """The member that `[index]` names; None when only running it would tell."""
    if index is None:
        return None
    if index.type == "number":
        return text_of(index)
    if index.type in ("string", "template_string"):
        inside = index.named_children
        if not inside:
            return ""
        if len(inside) == 1 and inside[0].type == "string_fragment":
            return text_of(inside[0])
    return None
