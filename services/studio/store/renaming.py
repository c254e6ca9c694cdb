"""Renames, between the format's library and the draft."""

from contracts.studio.app import RenameChange
from services.studio.appsmith import App, EditRefused, EditRule, Kind
from services.studio.references.rename import Renamed, rename


def rename_in(app: App, entity_id: str, name: str) -> Renamed:
    """Rename an entity of a page. Raises EditRefused."""
    entity = app.find(entity_id)
    if entity is None:
        raise EditRefused(field="entity_id", rule=EditRule.UNKNOWN_ENTITY, detail=entity_id)
    libraries = {one.name for one in app if one.kind is Kind.LIBRARY}
    return rename(app.sections[entity.section], entity_id, name, libraries)


def changes_of(renamed: Renamed) -> list[RenameChange]:
    """Every place, as the contract has it."""
    return [
        RenameChange(
            entity_id=one.entity_id,
            path=one.path,
            start=one.start,
            before=one.before,
            after=one.after,
        )
        for one in renamed.changes
    ]
