"""What each kind of JavaScript syntax declares, uses and opens as a scope."""

from tree_sitter import Node

from services.studio.references.members import constant_of
from services.studio.references.scopes import Found, Scope, Scopes, Visits, text_of

BY_PAGE_NAME = "navigateTo"
BY_NAME = ("showModal", "closeModal", "resetWidget", BY_PAGE_NAME)
"""Appsmith's functions whose first argument is the name of a widget, or of a page."""


MEMBERS_MAX = 100
"""Of a chain of members no more are told."""


def scopes_of(root: Node) -> Scopes:
    """A tree's scopes, walked through."""
    return Scopes(root, _VISITS)


def _block(scopes: Scopes, node: Node, scope: Scope) -> None:
    scopes.later(node.named_children, Scope(scope))


def _name(scopes: Scopes, node: Node, scope: Scope) -> None:
    scopes.use(Found(node), scope)


def _shorthand(scopes: Scopes, node: Node, scope: Scope) -> None:
    scopes.use(Found(node, shorthand=True), scope)


def _pair(scopes: Scopes, node: Node, scope: Scope) -> None:
    key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
    if value is not None and value.type == "assignment_pattern":
        scopes.field(value, "right", scope)
        value = value.child_by_field_name("left")
    if key is None or value is None or value.type != "identifier":
        scopes.later([one for one in (key, value) if one is not None], scope)
        return
    plain = key.type == "property_identifier"
    scopes.later([] if plain else [key], scope)
    scopes.use(Found(value, key=key if plain else None), scope)


def _call(scopes: Scopes, node: Node, scope: Scope) -> None:
    """Some functions take an entity's name as a text."""
    scopes.later(node.named_children, scope)
    function = node.child_by_field_name("function")
    given = node.child_by_field_name("arguments")
    first = given.named_children[0] if given is not None and given.named_children else None
    if function is None or function.type != "identifier" or first is None:
        return
    name = text_of(function)
    if name in BY_NAME and first.type in ("string", "template_string"):
        inside = first.named_children
        if len(inside) == 1 and inside[0].type == "string_fragment":
            scopes.mention(name, inside[0], scope)


def _member(scopes: Scopes, node: Node, scope: Scope) -> None:
    """A chain of members, from its end down to what it begins with."""
    parts: list[str | None] = []
    end = node.end_byte
    while node.type in ("member_expression", "subscript_expression"):
        if node.type == "member_expression":
            last = node.child_by_field_name("property")
            parts.append(None if last is None else text_of(last))
        else:
            index = node.child_by_field_name("index")
            parts.append(constant_of(index))
            if parts[-1] is None and index is not None:
                scopes.later([index], scope)
        inner = node.child_by_field_name("object")
        if inner is None:
            return
        node = inner
    if node.type != "identifier":
        scopes.later([node], scope)
        return
    parts.reverse()
    known = parts.index(None) if None in parts else len(parts)
    if known < len(parts):
        scopes.doubts.append(("computed", (node.start_byte, end)))
    path = tuple(part for part in parts[: min(known, MEMBERS_MAX)] if part is not None)
    scopes.use(Found(node, path), scope)


def _declaration(scopes: Scopes, node: Node, scope: Scope) -> None:
    """`var`, which goes out to its function, or `let` and `const`."""
    target = scope.for_vars if node.type == "variable_declaration" else scope
    for one in node.named_children:
        scopes.declare(one.child_by_field_name("name"), target, scope)
        scopes.field(one, "value", scope)


def _function_declaration(scopes: Scopes, node: Node, scope: Scope) -> None:
    scopes.declare(node.child_by_field_name("name"), scope, scope)
    scopes.function(node, scope)


def _function_expression(scopes: Scopes, node: Node, scope: Scope) -> None:
    named = Scope(scope)
    scopes.declare(node.child_by_field_name("name"), named, named)
    scopes.function(node, named)


def _arrow(scopes: Scopes, node: Node, scope: Scope) -> None:
    scopes.function(node, scope, own_arguments=False)


def _method(scopes: Scopes, node: Node, scope: Scope) -> None:
    scopes.field(node, "name", scope)  # it may be computed
    scopes.function(node, scope)


def _class(scopes: Scopes, node: Node, scope: Scope) -> None:
    name = node.child_by_field_name("name")
    if node.type == "class_declaration":
        scopes.declare(name, scope, scope)
    own = Scope(scope)
    scopes.declare(name, own, own)
    scopes.later([one for one in node.named_children if one != name], own)


def _static_block(scopes: Scopes, node: Node, scope: Scope) -> None:
    body = node.child_by_field_name("body")
    scopes.later([] if body is None else body.named_children, Scope(scope, holds_vars=True))


def _for(scopes: Scopes, node: Node, scope: Scope) -> None:
    scopes.later(node.named_children, Scope(scope))


def _for_in(scopes: Scopes, node: Node, scope: Scope) -> None:
    own = Scope(scope)
    kind = node.child_by_field_name("kind")
    target = own.for_vars if kind is not None and kind.type == "var" else own
    if kind is None:
        scopes.field(node, "left", own)
    else:
        scopes.declare(node.child_by_field_name("left"), target, own)
    for name in ("value", "right", "body"):
        scopes.field(node, name, own)


def _catch(scopes: Scopes, node: Node, scope: Scope) -> None:
    own = Scope(scope)
    scopes.declare(node.child_by_field_name("parameter"), own, own)
    scopes.field(node, "body", own)


def _with(scopes: Scopes, node: Node, scope: Scope) -> None:
    scopes.field(node, "object", scope)
    body = node.child_by_field_name("body")
    if body is not None:
        scopes.doubts.append(("with", body.byte_range))


def _import(scopes: Scopes, node: Node, scope: Scope) -> None:
    pending = list(node.named_children)
    while pending:
        one = pending.pop()
        if one.type == "import_specifier":
            scopes.declare(
                one.child_by_field_name("alias") or one.child_by_field_name("name"), scope, scope
            )
        elif one.type == "identifier":
            scope.names.add(text_of(one))
        elif one.type in ("import_clause", "named_imports", "namespace_import"):
            pending += one.named_children


def _nothing(scopes: Scopes, node: Node, scope: Scope) -> None:
    """It names things for other modules alone."""


def _export_specifier(scopes: Scopes, node: Node, scope: Scope) -> None:
    clause = node.parent
    statement = clause.parent if clause is not None else None
    if statement is None or statement.child_by_field_name("source") is None:
        scopes.field(node, "name", scope)


_VISITS: Visits = {
    "identifier": _name,
    "undefined": _name,
    "shorthand_property_identifier": _shorthand,
    "shorthand_property_identifier_pattern": _shorthand,
    "call_expression": _call,
    "pair": _pair,
    "pair_pattern": _pair,
    "member_expression": _member,
    "subscript_expression": _member,
    "statement_block": _block,
    "switch_body": _block,
    "variable_declaration": _declaration,
    "lexical_declaration": _declaration,
    "function_declaration": _function_declaration,
    "generator_function_declaration": _function_declaration,
    "function_expression": _function_expression,
    "generator_function": _function_expression,
    "arrow_function": _arrow,
    "method_definition": _method,
    "class_declaration": _class,
    "class": _class,
    "class_static_block": _static_block,
    "for_statement": _for,
    "for_in_statement": _for_in,
    "catch_clause": _catch,
    "with_statement": _with,
    "import_statement": _import,
    "export_specifier": _export_specifier,
    "namespace_export": _nothing,
}
