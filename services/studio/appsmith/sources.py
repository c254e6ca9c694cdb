"""An entity's own source, read from its files: JSON, text, or both."""

import json
from dataclasses import dataclass
from typing import Any

from services.studio.appsmith.canvas import canvas_nodes, own_value, without_trees
from services.studio.appsmith.entities import Entity, Kind, Object, part
from services.studio.appsmith.page_files import METADATA
from services.studio.appsmith.sections import Section

WITH_BODY = (Kind.QUERY, Kind.SCRIPT, Kind.SCRIPT_FUNCTION)
_BODY_SUFFIX = {Kind.QUERY: ".txt", Kind.SCRIPT_FUNCTION: ".txt", Kind.SCRIPT: ".js"}
_ACTION = ("unpublishedAction", "actionConfiguration")
BODY_AT = {
    Kind.QUERY: _ACTION,
    Kind.SCRIPT_FUNCTION: _ACTION,
    Kind.SCRIPT: ("unpublishedCollection",),
}
"""The object whose `body` it is, in the JSON of a query or script."""


@dataclass(frozen=True, slots=True)
class Source:
    """`value`: the JSON, None for a file that is nothing we know. `text`: a query's or script's
    body or a file's text; None where there is none, or none that is UTF-8."""

    value: dict[str, Any] | None  # the entity's own JSON, as strangers wrote it
    text: str | None


def read_source(section: Section, entity: Entity) -> Source:
    """What a client may see and edit of an entity.

    Out of a tree, a widget comes without its children and a page without its widgets.
    """
    if entity.kind is Kind.FILE:
        return Source(None, _text(section.files[entity.path]))
    value = exact_json(section.files[entity.path])
    if entity.kind in WITH_BODY:
        body = body_of(section, entity)
        return Source(value, None if body is None else _text(body))
    if section.has_trees and entity.kind is Kind.PAGE:
        return Source(without_trees(value), None)
    if section.has_trees and entity.kind is Kind.WIDGET:
        for node in canvas_nodes(entity.path, value):
            if node.entity_id == entity.entity_id:
                return Source(own_value(node.value), None)
    return Source(value, None)


def body_of(section: Section, entity: Entity) -> bytes | None:
    """The body of a query or script: a file, or in the old formats a text in its JSON."""
    if not is_whole(entity):
        return section.files.get(body_path(entity))
    body = body_in(entity, exact_json(section.files[entity.path]))
    return None if body is None else body.encode("utf-8", "replace")


def body_in(entity: Entity, value: Object) -> str | None:
    """The body that the JSON of a query or script has in it, if it has one."""
    body = part(value, *BODY_AT[entity.kind]).get("body")
    return body if isinstance(body, str) else None


def with_body(entity: Entity, value: Object, body: str) -> Object:
    """The JSON of a query or script of an old format, with another body in it."""
    keys = BODY_AT[entity.kind]
    inner: Object = {**part(value, *keys), "body": body}
    for at in range(len(keys) - 1, 0, -1):
        inner = {**part(value, *keys[:at]), keys[at]: inner}
    return {**value, keys[0]: inner}


def is_whole(entity: Entity) -> bool:
    """Whether a query or script is one file, which has its body in it: an old format's."""
    return entity.kind in WITH_BODY and entity.path.rpartition("/")[2] != METADATA


def body_path(entity: Entity) -> str:
    """Where the body of a query or script is, or would be."""
    if is_whole(entity):
        folder = entity.path.removesuffix(".json")
    else:
        folder = entity.path.rpartition("/")[0]
    return f"{folder}/{folder.rpartition('/')[2]}{_BODY_SUFFIX[entity.kind]}"


def exact_json(content: bytes) -> Object:
    """JSON with numbers as they are: whole ones of any size. For files that were read before."""
    value: Object = json.loads(content)
    return value


def encode_json(value: object, like: bytes = b"") -> bytes:
    """JSON laid out as git sync lays it out, ending as the file that it replaces ended."""
    encoded = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False).encode()
    return encoded + b"\n" if like.endswith(b"\n") else encoded


def same_json(one: object, other: object) -> bool:
    """Whether two values are the same JSON; unlike Python, 1 is neither 1.0 nor true."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
