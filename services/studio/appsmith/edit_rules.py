"""What an edit may not do."""

import re
from collections.abc import Iterator, Mapping

from services.studio.appsmith.entities import JSON_BYTES_MAX, NAMED, Entity, Kind
from services.studio.appsmith.refusals import EditRefused, EditRule
from services.studio.appsmith.sections import Section
from services.studio.appsmith.sources import encode_json

NAME_LENGTH_MAX = 200
DEPTH_MAX = 200
_SECRET = re.compile(r"password|secret|token|private_?key|api_?key|access_?key", re.IGNORECASE)


def check_name(section: Section, kind: Kind, name: object, besides: Entity | None = None) -> str:
    """`name`, when it may be given; widgets, queries and scripts of a page share their names."""
    name = check_is_name(name)
    if besides is not None and besides.name == name:
        return name
    rivals = NAMED if kind in NAMED else (kind,)
    if any(entity.name == name for entity in section.entities if entity.kind in rivals):
        raise EditRefused(field="name", rule=EditRule.NAME_TAKEN, detail=name)
    return name


def check_is_name(name: object) -> str:
    """`name`, when anything at all may be called so."""
    if not isinstance(name, str) or not name.strip() or len(name) > NAME_LENGTH_MAX:
        detail = f"a text of 1 to {NAME_LENGTH_MAX} characters"
        raise EditRefused(field="name", rule=EditRule.NAME_INVALID, detail=detail)
    if "\0" in name or not _is_text(name):
        raise EditRefused(field="name", rule=EditRule.NAME_INVALID, detail="not a Unicode text")
    return name


def check_value(value: object, field: str = "source") -> None:
    """Raise EditRefused when a JSON value can't be written as a file."""
    if not isinstance(value, dict):
        raise EditRefused(field=field, rule=EditRule.SHAPE, detail="not a JSON object")
    for path, depth, _, inner in _walk(value, field):
        if depth > DEPTH_MAX:
            detail = f"nested deeper than {DEPTH_MAX} levels"
            raise EditRefused(field=field, rule=EditRule.SHAPE, detail=detail)
        if isinstance(inner, str) and not _is_text(inner):
            raise EditRefused(field=path, rule=EditRule.SHAPE, detail="not a Unicode text")
    try:
        size = len(encode_json(value))
    except ValueError as error:
        raise EditRefused(field=field, rule=EditRule.SHAPE, detail=str(error)) from None
    if size > JSON_BYTES_MAX:
        detail = f"more than {JSON_BYTES_MAX} bytes"
        raise EditRefused(field=field, rule=EditRule.SHAPE, detail=detail)


def check_no_secrets(value: Mapping[str, object]) -> None:
    """Raise EditRefused when a datasource would carry a credential into the source."""
    for path, _, key, inner in _walk(value, "source"):
        if isinstance(inner, str) and inner and _SECRET.search(key):
            detail = "credentials do not belong in an app's source"
            raise EditRefused(field=path, rule=EditRule.CREDENTIAL, detail=detail)


def check_widget(value: Mapping[str, object], current: Mapping[str, object] | None = None) -> None:
    """A widget has a type, and keeps its id: others refer to it."""
    if not isinstance(value.get("type"), str) or not value["type"]:
        raise EditRefused(field="source.type", rule=EditRule.TYPE_MISSING, detail="a text")
    if current is not None and value.get("widgetId") != current.get("widgetId"):
        detail = f"was {current.get('widgetId')!r}"
        raise EditRefused(field="source.widgetId", rule=EditRule.ID_CHANGED, detail=detail)


def _walk(value: object, field: str) -> Iterator[tuple[str, int, str, object]]:
    pending: list[tuple[str, int, str, object]] = [(field, 1, "", value)]
    while pending:
        found = pending.pop()
        yield found
        path, depth, key, inner = found
        if depth > DEPTH_MAX:
            continue
        if isinstance(inner, dict):
            pending += [(f"{path}.{k}", depth + 1, str(k), v) for k, v in inner.items()]
        elif isinstance(inner, list):
            pending += [(path, depth + 1, key, v) for v in inner]


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
