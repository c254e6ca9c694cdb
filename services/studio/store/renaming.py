"""Renames, between the format's library and the draft."""

from collections.abc import Iterable

from contracts.studio.app import RenameChange, RenameDoubt
from services.studio.appsmith import App, Edited, Kind
from services.studio.appsmith.edit import entity_of
from services.studio.references.rename import Changed, Renamed, rename
from services.studio.references.renames.page import rename_page
from services.studio.references.renames.plan import Undecided

TEXT_SHOWN = 300


def rename_in(app: App, entity_id: str, name: str, *, with_mentions: bool) -> Renamed:
    """Rename an entity of a page, or a page: then the app has all of them. Raises EditRefused."""
    entity = entity_of(app, entity_id)
    if entity.kind is Kind.PAGE:
        return rename_page(app, entity, name, with_mentions=with_mentions)
    section = app.sections[entity.section]
    return rename(section, entity_id, name, app.given, with_mentions=with_mentions)


def after_rename(app: App, entity_id: str, renamed: Renamed) -> Edited:
    """The app after a rename of an entity."""
    before = entity_of(app, entity_id).section
    gone = [before] if renamed.section.name != before else []
    after = app.with_sections([renamed.section, *renamed.others], gone)
    return Edited(after, renamed.section.by_id[renamed.entity_id])


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


def doubted(places: Iterable[Undecided]) -> list[RenameDoubt]:
    """The same of what nobody can tell."""
    return [
        RenameDoubt(
            entity_id=one.entity_id, path=one.path, start=one.start, text=one.text[:TEXT_SHOWN]
        )
        for one in places
    ]
