"""Which file of a page's folder is what."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.studio.appsmith.entities import (
    Entity,
    Kind,
    digest_of,
    fields_of,
    load_object,
    part,
    text,
)

QUERIES, SCRIPTS, WIDGETS = "queries", "jsobjects", "widgets"
METADATA = "metadata.json"
FORMATS_OLD = (2, 3)
"""Queries are a JSON file each, with their body in it; in the oldest, scripts are too."""


def has_own_folder(path: str) -> bool:
    """Whether a widget's file is in a folder of its name, with what is inside of it."""
    folder, _, file = path.rpartition("/")
    stem = file.removesuffix(".json")
    return folder.rpartition("/")[2] == stem != file and folder.count("/") > 2


@dataclass(slots=True)
class PageFiles:
    """A page's paths by meaning. `queries` and `scripts`: folder name -> its paths."""

    page_file: str = ""
    widgets: list[str] = field(default_factory=list)
    queries: dict[str, list[str]] = field(default_factory=dict)
    scripts: dict[str, list[str]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)

    def place(self, parent: str, stem: str, path: str) -> None:
        """A file that is a whole query or script: it stands for the folder of its name."""
        folders = {QUERIES: self.queries, SCRIPTS: self.scripts}.get(parent)
        if folders is None:
            self.others.append(path)
        else:
            folders.setdefault(stem, []).append(path)

    def page_entity(self, section: str, page: str, files: Mapping[str, bytes]) -> Entity:
        """The page itself, where its file has no widgets in it (format 5)."""
        content = files[self.page_file]
        value = load_object(self.page_file, content)
        return page_entity(section, page, self.page_file, value, digest_of(content))


def sort_page_files(page: str, format_version: int, files: Mapping[str, bytes]) -> PageFiles:
    """Tell the files of `pages/<page>/` apart; what nobody knows goes to `others`."""
    found = PageFiles()
    start = len(f"pages/{page}/")
    page_file = page_file_name(page, format_version)
    for path in sorted(files):
        parts = path[start:].split("/")
        if len(parts) == 1 and parts[0] == page_file:
            found.page_file = path
        elif parts[0] == WIDGETS and format_version == 5 and path.endswith(".json"):
            found.widgets.append(path)
        elif parts[0] == QUERIES and len(parts) == 3:
            found.queries.setdefault(parts[1], []).append(path)
        elif parts[0] == SCRIPTS and len(parts) == 3:
            found.scripts.setdefault(parts[1], []).append(path)
        elif format_version in FORMATS_OLD and len(parts) == 2 and path.endswith(".json"):
            found.place(parts[0], parts[1].removesuffix(".json"), path)
        else:
            found.others.append(path)
    return found


def is_one_file(parent: str, format_version: int) -> bool:
    """Whether the queries, or scripts, of a format are one file each, their body in its JSON."""
    return format_version in FORMATS_OLD and (parent == QUERIES or format_version == 2)


def page_file_name(page: str, format_version: int) -> str:
    """The name of the file that makes a folder a page."""
    return f"{page}.json" if format_version == 5 else "canvas.json"


def page_entity(section: str, page: str, path: str, value: object, digest: str) -> Entity:
    """A page from its JSON."""
    inner = part(value, "unpublishedPage")
    fields = fields_of(slug=inner.get("slug"), hidden=inner.get("isHidden"))
    name = text(inner.get("name"), page)
    entity_id = f"{Kind.PAGE}:pages/{page}"
    return Entity(
        entity_id, Kind.PAGE, name, section, page, path, digest, paths=(path,), fields=fields
    )


def file_entity(section: str, page: str, path: str, files: Mapping[str, bytes]) -> Entity:
    """A file of which nothing more is known."""
    content = files[path]
    name = path.rpartition("/")[2]
    fields = fields_of(size=len(content))
    digest = digest_of(content)
    entity_id = f"{Kind.FILE}:{path}"
    return Entity(
        entity_id, Kind.FILE, name, section, page, path, digest, paths=(path,), fields=fields
    )
