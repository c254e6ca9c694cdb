"""Renames within one page; see `renames`, which renames pages, too."""

from collections.abc import Container

from services.studio.appsmith import EditRefused, EditRule, Kind, Section
from services.studio.appsmith.entities import NAMED
from services.studio.references.renames.entity import rename_entity
from services.studio.references.renames.function import rename_function
from services.studio.references.renames.plan import Changed, Renamed


def rename(
    section: Section,
    entity_id: str,
    name: str,
    given: Container[str] = (),
    *,
    with_mentions: bool = False,
) -> Renamed:
    """Give a widget, query, script or function of a page another name. `given`: names that the
    app's libraries bring. `with_mentions`: change texts that functions take for the name, too.
    Raises EditRefused, which names the rule and the place."""
    entity = section.by_id.get(entity_id)
    if entity is None:
        raise EditRefused(field="entity_id", rule=EditRule.UNKNOWN_ENTITY, detail=entity_id)
    if entity.kind not in (*NAMED, Kind.SCRIPT_FUNCTION):
        detail = f"a {entity.kind} has no name that code calls it by"
        raise EditRefused(field="entity_id", rule=EditRule.NOT_RENAMABLE, detail=detail)
    if name == entity.name:
        return Renamed(section, entity_id)
    if entity.kind is Kind.SCRIPT_FUNCTION:
        return rename_function(section, entity, name)
    return rename_entity(section, entity, name, given, with_mentions=with_mentions)


__all__ = ["Changed", "Renamed", "rename"]
