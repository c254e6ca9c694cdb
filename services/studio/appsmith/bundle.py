"""Bundle: a revision as the files of a release, in two parts.

Public, for browsers: `manifest.json`; for each page one `page.json` (the whole widget tree, names
of queries, what runs on load) and its scripts as they are; the theme; the libraries. Private, for
the runtime alone: for each page its queries with their bodies, and the datasources.

What is public is listed here field by field, because a page's JSON carries more than its widgets
(`layoutOnLoadActions` holds pieces of query bodies). Unknown files are in neither part.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import orjson

from services.studio.appsmith.app import APPLICATION, App, page_ids
from services.studio.appsmith.entities import Entity, Kind, Object, load_object
from services.studio.appsmith.page_bundle import page_document
from services.studio.appsmith.refusals import NotPublishable
from services.studio.appsmith.sections import APP_SECTION, Section
from services.studio.appsmith.sources import body_of, body_path

JSON, SCRIPT = "application/json", "text/javascript; charset=utf-8"
MANIFEST = "manifest.json"
_APP_FIELDS = (
    "appLayout",
    "applicationDetail",
    "applicationVersion",
    "collapseInvisibleWidgets",
    "color",
    "embedSetting",
    "evaluationVersion",
    "icon",
    "slug",
    "unpublishedAppLayout",
    "unpublishedApplicationDetail",
)


@dataclass(frozen=True, slots=True)
class BundleFile:
    """`digest`: SHA-256 (hex) of `content`."""

    path: str
    content: bytes
    content_type: str
    digest: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """Both parts, each sorted by path. `entry`: the public file that a browser loads first."""

    public: tuple[BundleFile, ...]
    private: tuple[BundleFile, ...]
    entry: str = MANIFEST


def bundle(app: App) -> Bundle:
    """Make the bundle of an app. The same app gives the same bytes.

    Raises NotPublishable when its pages can't be put together.
    """
    public: list[BundleFile] = []
    private: list[BundleFile] = []
    pages: list[Object] = []
    for section in app.sections.values():
        page = next((e for e in section.entities if e.kind is Kind.PAGE), None)
        if page is not None:
            file = _file(f"pages/{page.page}/page.json", page_document(section, page))
            public += [file, *_scripts(section)]
            private += _queries(section)
            pages.append(_listed(page, file))
    if not pages:
        raise NotPublishable("the app has no page")
    level = app.sections[APP_SECTION]
    shared = list(_shared(level))
    manifest = _manifest(app, level, pages, [*public, *shared])
    private += _datasources(level)
    return Bundle(_sorted([*public, *shared, manifest]), _sorted(private))


def _manifest(
    app: App, level: Section, pages: list[Object], files: Iterable[BundleFile]
) -> BundleFile:
    application = load_object(APPLICATION, level.files[APPLICATION])
    order = {page: i for i, page in reversed(list(enumerate(page_ids(application))))}
    pages.sort(key=lambda p: order.get(str(p["folder"]), order.get(str(p["name"]), len(order))))
    default = _default_page(application, pages)
    settings = {key: application[key] for key in _APP_FIELDS if key in application}
    document: Object = {
        "format": 1,
        "source_format": app.format_version,
        "app": settings,
        "pages": [{**page, "default": page["folder"] == default} for page in pages],
        "files": [
            {"path": f.path, "digest": f.digest, "content_type": f.content_type}
            for f in _sorted(files)
        ],
    }
    return _file(MANIFEST, document)


def _default_page(application: Object, pages: list[Object]) -> object:
    listed = application.get("pages")
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and one.get("isDefault") is True:
            for page in pages:
                if one.get("id") in (page["folder"], page["name"]):
                    return page["folder"]
    return pages[0]["folder"]


def _listed(page: Entity, file: BundleFile) -> Object:
    return {
        "name": page.name,
        "folder": page.page,
        "slug": page.fields.get("slug", ""),
        "hidden": page.fields.get("hidden", False),
        "path": file.path,
        "digest": file.digest,
    }


def _scripts(section: Section) -> Iterator[BundleFile]:
    for entity in section.entities:
        if entity.kind is Kind.SCRIPT and (body := body_of(section, entity)) is not None:
            name = body_path(entity).rpartition("/")[2]
            yield _raw(f"pages/{section.page}/scripts/{name}", body, SCRIPT)


def _shared(level: Section) -> Iterator[BundleFile]:
    for entity in level.entities:
        if entity.kind in (Kind.THEME, Kind.LIBRARY):
            yield _raw(entity.path, level.files[entity.path], JSON)


def _queries(section: Section) -> list[BundleFile]:
    queries: list[Object] = []
    for entity in section.entities:
        if entity.kind is Kind.QUERY:
            body = body_of(section, entity)
            queries.append(
                {
                    "name": entity.name,
                    "metadata": load_object(entity.path, section.files[entity.path]),
                    "body": None if body is None else body.decode("utf-8", "replace"),
                }
            )
    return [_file(f"pages/{section.page}/queries.json", {"queries": queries})] if queries else []


def _datasources(level: Section) -> list[BundleFile]:
    values = [
        load_object(entity.path, level.files[entity.path])
        for entity in level.entities
        if entity.kind is Kind.DATASOURCE
    ]
    return [_file("datasources.json", {"datasources": values})] if values else []


def _file(path: str, document: Object) -> BundleFile:
    try:
        return _raw(path, orjson.dumps(document), JSON)
    except orjson.JSONEncodeError as error:
        raise NotPublishable(f"{path}: {error}") from None


def _raw(path: str, content: bytes, content_type: str) -> BundleFile:
    return BundleFile(path, content, content_type, hashlib.sha256(content).hexdigest())


def _sorted(files: Iterable[BundleFile]) -> tuple[BundleFile, ...]:
    return tuple(sorted(files, key=lambda file: file.path))
