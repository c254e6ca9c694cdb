"""Widgets of format 5: a file each, tied together by their ids."""

from collections.abc import Iterable, Mapping, Sequence

from services.studio.appsmith.entities import (
    Entity,
    Kind,
    Object,
    digest_of,
    fields_of,
    load_object,
    text,
)


def widget_entities(
    section: str, page: str, paths: Sequence[str], files: Mapping[str, bytes]
) -> list[Entity]:
    """A widget for each file, with its container found by `parentId`.

    A container's file holds its bare canvases as `children`; widgets inside name such a canvas.
    """
    values = [(path, load_object(path, files[path])) for path in paths]
    owners: dict[str, str] = {}
    for path, value in values:
        for widget_id in own_ids(value):
            owners.setdefault(widget_id, f"{Kind.WIDGET}:{path}")
    return [_widget(section, page, path, value, owners, files[path]) for path, value in values]


def own_ids(value: Object) -> Iterable[str]:
    """The widget ids that a widget's JSON brings along: its own and its bare canvases'."""
    pending: list[object] = [value]
    while pending:
        node = pending.pop()
        if not isinstance(node, dict):
            continue
        if widget_id := text(node.get("widgetId")):
            yield widget_id
        children = node.get("children")
        if isinstance(children, list):
            pending.extend(reversed(children))


def _widget(
    section: str,
    page: str,
    path: str,
    value: Object,
    owners: Mapping[str, str],
    content: bytes,
) -> Entity:
    entity_id = f"{Kind.WIDGET}:{path}"
    parent_id = owners.get(text(value.get("parentId")), "")
    return Entity(
        entity_id,
        Kind.WIDGET,
        text(value.get("widgetName"), path.rpartition("/")[2].removesuffix(".json")),
        section,
        page,
        path,
        digest_of(content),
        parent_id="" if parent_id == entity_id else parent_id,
        paths=(path,),
        fields=fields_of(type=value.get("type"), widget_id=value.get("widgetId")),
    )
