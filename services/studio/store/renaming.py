"""Renames, between the format's library and the draft."""

from collections.abc import Iterable

from contracts.studio.app import RenameChange
from services.studio.appsmith import App, EditRefused, EditRule, Kind
from services.studio.references.rename import Changed, Renamed, rename


def rename_in(app: App, entity_id: str, name: str, *, with_mentions: bool) -> Renamed:
    """Rename an entity of a page. Raises EditRefused."""
    entity = app.find(entity_id)
    if entity is None:
        raise EditRefused(field="entity_id", rule=EditRule.UNKNOWN_ENTITY, detail=entity_id)
    libraries = {one.name for one in app if one.kind is Kind.LIBRARY}
    section = app.sections[entity.section]
    return rename(section, entity_id, name, libraries, with_mentions=with_mentions)


def told(places: Iterable[Changed]) -> list[RenameChange]:
    """Places, as the contract has them."""
    return [
        RenameChange(
            entity_id=one.entity_id,
            path=one.path,
            start=one.start,
            before=one.before,
            after=one.after,
        )
        for one in places
    ]
