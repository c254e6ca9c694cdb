"""What the tests of edits share."""

from typing import Any

from services.studio.appsmith import App, Edited, Kind, Source, diff, parse, read_source


def id_of(app: App, kind: Kind, name: str, page: str = "Home") -> str:
    (found,) = (e for e in app if (e.kind, e.name, e.page) == (kind, name, page))
    return found.entity_id


def source(app: App, entity_id: str) -> Source:
    entity = app.find(entity_id)
    assert entity is not None
    return read_source(app.sections[entity.section], entity)


def value(app: App, entity_id: str) -> dict[str, Any]:  # an entity's own JSON
    found = source(app, entity_id).value
    assert found is not None
    return found


def changes(app: App, edited: Edited) -> list[tuple[str, str]]:
    again = parse(edited.app.tree())
    assert list(again) == list(edited.app)
    return [(d.change.value, d.entity.name) for d in diff(app, edited.app)]
