"""What lies beside the pages: the app's own file, theme, metadata, datasources, libraries."""

from collections.abc import Iterable, Mapping

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
from services.studio.appsmith.page_files import file_entity

_FILES = {
    "application.json": Kind.APP,
    "metadata.json": Kind.METADATA,
    "theme.json": Kind.THEME,
}
_FOLDERS = {"datasources": Kind.DATASOURCE, "jslibs": Kind.LIBRARY}


def app_entities(section: str, files: Mapping[str, bytes]) -> list[Entity]:
    """In order of path."""
    return [_entity(section, path, files) for path in sorted(files)]


def names_given(entities: Iterable[Entity]) -> frozenset[str]:
    """Names that the libraries among some entities bring to code. Often a library's own is another,
    as of `xlsx`, which brings `XLSX`."""
    libraries = (one for one in entities if one.kind is Kind.LIBRARY)
    given = (str(one.fields.get("accessor", "")).split() or [one.name] for one in libraries)
    return frozenset(name for names in given for name in names)


def kind_of(path: str) -> Kind:
    """What a file beside the pages is."""
    if path in _FILES:
        return _FILES[path]
    folder, _, rest = path.partition("/")
    return _FOLDERS.get(folder, Kind.FILE) if rest.endswith(".json") else Kind.FILE


def _entity(section: str, path: str, files: Mapping[str, bytes]) -> Entity:
    kind = kind_of(path)
    if kind is Kind.FILE:
        return file_entity(section, "", path, files)
    content = files[path]
    value = load_object(path, content)
    stem = path.rpartition("/")[2].removesuffix(".json")
    name = text(value.get("name"), stem if kind in _FOLDERS.values() else kind)
    return Entity(
        f"{kind}:{path}",
        kind,
        name,
        section,
        "",
        path,
        digest_of(content),
        paths=(path,),
        fields=_fields(kind, value),
    )


def _fields(kind: Kind, value: Object) -> dict[str, str | int | bool]:
    if kind is Kind.APP:
        pages = value.get("pages")
        return fields_of(pages=len(pages) if isinstance(pages, list) else 0)
    if kind is Kind.METADATA:
        return fields_of(format_version=value.get("fileFormatVersion"))
    if kind is Kind.DATASOURCE:
        plugin = value.get("pluginId") or part(value, "datasource").get("pluginId")
        return fields_of(plugin=plugin)
    if kind is Kind.LIBRARY:
        names = value.get("accessor")
        names = [one for one in names if isinstance(one, str)] if isinstance(names, list) else []
        accessor = " ".join(names)
        return fields_of(version=value.get("version"), url=value.get("url"), accessor=accessor)
    return fields_of(display_name=value.get("displayName"))
