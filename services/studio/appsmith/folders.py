"""Queries and scripts: a folder each, with `metadata.json` and a body beside it.

A function of a script has a folder among the queries; its plugin tells it from a query. In the
old formats a file stands for the folder, and the body is in its JSON.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from services.studio.appsmith.entities import (
    Entity,
    Kind,
    Object,
    digest_of,
    fields_of,
    load_object,
    part,
    text,
)
from services.studio.appsmith.page_files import (
    METADATA,
    QUERIES,
    SCRIPTS,
    PageFiles,
    file_entity,
)
from services.studio.appsmith.refusals import ImportRefused, Rule
from services.studio.appsmith.tree import files_digest

SCRIPT_PLUGIN, SCRIPT_PLUGIN_TYPE = "js-plugin", "JS"
ON_LOAD = "ON_PAGE_LOAD"


def folder_entities(
    section: str, page: str, found: PageFiles, files: Mapping[str, bytes]
) -> list[Entity]:
    """The queries, scripts and functions of a page."""
    entities: list[Entity] = []
    scripts: dict[str, str] = {}
    for folder, paths in found.scripts.items():
        own, value = _own_paths(f"pages/{page}/{SCRIPTS}/{folder}", f"{folder}.js", paths, files)
        entity = _script(section, page, folder, own, value, files)
        scripts.setdefault(entity.name, entity.entity_id)
        entities.append(entity)
        entities += _strangers(section, page, paths, own, files)
    for folder, paths in found.queries.items():
        own, value = _own_paths(f"pages/{page}/{QUERIES}/{folder}", f"{folder}.txt", paths, files)
        entities.append(_query(section, page, folder, own, value, scripts, files))
        entities += _strangers(section, page, paths, own, files)
    return entities


def is_function(value: Object) -> bool:
    """Whether a query's metadata is a script's function."""
    plugin = value.get("pluginId") or part(value, "unpublishedAction").get("pluginId")
    return plugin == SCRIPT_PLUGIN or value.get("pluginType") == SCRIPT_PLUGIN_TYPE


def runs_on_load(action: Object) -> bool:
    """Whether an action runs when its page opens; two generations of fields say so."""
    return action.get("executeOnLoad") is True or action.get("runBehaviour") == ON_LOAD


def script_name(value: Object) -> str:
    """The script that a function's metadata names."""
    action = part(value, "unpublishedAction")
    full = text(action.get("fullyQualifiedName"))
    return full.rpartition(".")[0] if "." in full else ""


def strangers_in(files: Iterable[str], entities: Sequence[Entity]) -> Iterator[str]:
    """Files that somebody put into their folders: they go where those go."""
    own = {path for one in entities for path in one.paths}
    folders = {
        folder for folder, _, file in (e.path.rpartition("/") for e in entities) if file == METADATA
    }
    for path in files if folders else ():
        if path not in own and "/".join(path.split("/")[:4]) in folders:
            yield path


def _own_paths(
    folder: str, body: str, paths: Sequence[str], files: Mapping[str, bytes]
) -> tuple[tuple[str, ...], Object]:
    metadata, whole = f"{folder}/{METADATA}", f"{folder}.json"
    if metadata not in files and whole in paths:
        return (whole,), load_object(whole, files[whole])
    if metadata not in files:
        detail = f"{len(paths)} files beside it, but no {METADATA}"
        raise ImportRefused(path=metadata, rule=Rule.MISSING_FILE, detail=detail)
    body = f"{folder}/{body}"
    own = (metadata, body) if body in files else (metadata,)
    return own, load_object(metadata, files[metadata])


def _strangers(
    section: str, page: str, paths: Sequence[str], own: tuple[str, ...], files: Mapping[str, bytes]
) -> list[Entity]:
    return [file_entity(section, page, path, files) for path in paths if path not in own]


def _script(
    section: str,
    page: str,
    folder: str,
    own: tuple[str, ...],
    value: Object,
    files: Mapping[str, bytes],
) -> Entity:
    collection = part(value, "unpublishedCollection")
    variables = collection.get("variables")
    return Entity(
        f"{Kind.SCRIPT}:pages/{page}/{SCRIPTS}/{folder}",
        Kind.SCRIPT,
        text(collection.get("name"), folder),
        section,
        page,
        own[0],
        _digest(own, files),
        paths=own,
        fields=fields_of(variables=len(variables) if isinstance(variables, list) else None),
    )


def _query(
    section: str,
    page: str,
    folder: str,
    own: tuple[str, ...],
    value: Object,
    scripts: Mapping[str, str],
    files: Mapping[str, bytes],
) -> Entity:
    action = part(value, "unpublishedAction")
    function = is_function(value)
    kind = Kind.SCRIPT_FUNCTION if function else Kind.QUERY
    datasource = "" if function else part(action, "datasource").get("name")
    return Entity(
        f"{kind}:pages/{page}/{QUERIES}/{folder}",
        kind,
        text(action.get("name"), folder),
        section,
        page,
        own[0],
        _digest(own, files),
        parent_id=scripts.get(script_name(value), "") if function else "",
        paths=own,
        fields=fields_of(
            plugin=value.get("pluginId"),
            datasource=datasource,
            on_load=runs_on_load(action),
            script=script_name(value) if function else None,
        ),
    )


def _digest(own: tuple[str, ...], files: Mapping[str, bytes]) -> str:
    if len(own) == 1:
        return digest_of(files[own[0]])
    return files_digest({path: files[path] for path in own})
