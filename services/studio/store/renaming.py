"""Renames, between the format's library and the draft."""

from collections.abc import Iterable

from contracts.studio.app import RenameChange
from services.studio.appsmith import App, Kind
from services.studio.appsmith.edit import entity_of
from services.studio.references.rename import Changed, Renamed, rename


def rename_in(app: App, entity_id: str, name: str, *, with_mentions: bool) -> Renamed:
    """Rename an entity of a page. Raises EditRefused."""
    section = app.sections[entity_of(app, entity_id).section]
    libraries = {one.name for one in app if one.kind is Kind.LIBRARY}
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
