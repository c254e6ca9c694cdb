"""Section: the part of an app that is stored, read and edited as one: a page, or the app level.

A section's name is `app`, `page:<folder>`, or `file:<path>` for a large file that is nothing we
know. All files below `pages/<folder>/` make the page's section.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from services.studio.appsmith.app_level import app_entities
from services.studio.appsmith.canvas import canvas_entities
from services.studio.appsmith.entities import Entity
from services.studio.appsmith.folders import folder_entities
from services.studio.appsmith.page_files import (
    FORMATS_OLD,
    PageFiles,
    file_entity,
    sort_page_files,
)
from services.studio.appsmith.widgets import widget_entities

APP_SECTION = "app"
PAGE_PREFIX = "page:"
FILE_PREFIX = "file:"
FORMAT_TREE, FORMAT_FILES = 4, 5
"""A page's widgets as a tree in one file, or as a file each."""

FORMATS = (*FORMATS_OLD, FORMAT_TREE, FORMAT_FILES)
LARGE_FILE_BYTES = 1024 * 1024
_KNOWN_FOLDERS = ("datasources/", "jslibs/")
_KNOWN_FILES = ("application.json", "metadata.json", "theme.json")


@dataclass(frozen=True)
class Section:
    """Some files of an app, by path, and the entities in them."""

    name: str
    format_version: int
    files: Mapping[str, bytes]

    @property
    def page(self) -> str:
        """The page's folder; empty for other sections."""
        return self.name.removeprefix(PAGE_PREFIX) if self.name.startswith(PAGE_PREFIX) else ""

    @property
    def has_trees(self) -> bool:
        """Whether its widgets are a tree in one file, as in all formats but the newest."""
        return self.format_version != FORMAT_FILES

    @cached_property
    def entities(self) -> tuple[Entity, ...]:
        """In order of path. Raises ImportRefused when a file that matters is broken."""
        if self.name.startswith(FILE_PREFIX):
            return tuple(file_entity(self.name, "", path, self.files) for path in self.files)
        if not self.name.startswith(PAGE_PREFIX):
            return tuple(app_entities(self.name, self.files))
        return tuple(self._page_entities())

    @cached_property
    def by_id(self) -> Mapping[str, Entity]:
        """The entities by id."""
        return {entity.entity_id: entity for entity in self.entities}

    def with_files(self, changed: Mapping[str, bytes], gone: Iterable[str] = ()) -> "Section":
        """The section with some files written and others gone."""
        files = {**self.files, **changed}
        for path in gone:
            files.pop(path, None)
        return Section(self.name, self.format_version, files)

    def _page_entities(self) -> list[Entity]:
        found = sort_page_files(self.page, self.format_version, self.files)
        if self.has_trees:
            entities = canvas_entities(self.name, self.page, found.page_file, self.files)
        else:
            entities = _page_and_widgets(self.name, self.page, found, self.files)
        entities += folder_entities(self.name, self.page, found, self.files)
        entities += [file_entity(self.name, self.page, path, self.files) for path in found.others]
        entities.sort(key=lambda entity: entity.path)
        return entities


def renamed_files(
    section: Section,
    paths: Mapping[str, str],
    files: Mapping[str, bytes] | None = None,
    name: str = "",
) -> tuple[Section, dict[str, str]]:
    """A section with some files called otherwise, and perhaps itself; and ids that changed with
    them, old to new: an entity keeps its place among those of its file. `files`: what is in them
    now, where that is not the same. Raises ImportRefused when it makes no section."""
    files = section.files if files is None else files
    there = {paths.get(path, path): content for path, content in files.items()}
    after = Section(name or section.name, section.format_version, dict(sorted(there.items())))
    now: dict[str, list[str]] = {}
    for one in reversed(after.entities):
        now.setdefault(one.path, []).append(one.entity_id)
    ids = {e.entity_id: now[paths.get(e.path, e.path)].pop() for e in section.entities}
    return after, {old: new for old, new in ids.items() if old != new}


def section_name(path: str, size_bytes: int) -> str:
    """The section that a file belongs to."""
    first, _, rest = path.partition("/")
    if first == "pages" and "/" in rest:
        return PAGE_PREFIX + rest.partition("/")[0]
    known = path in _KNOWN_FILES or path.startswith(_KNOWN_FOLDERS)
    return APP_SECTION if known or size_bytes <= LARGE_FILE_BYTES else FILE_PREFIX + path


def split(files: Mapping[str, bytes], format_version: int) -> dict[str, Section]:
    """All sections of a tree, by name, in order of name."""
    parts: dict[str, dict[str, bytes]] = {}
    for path in sorted(files):
        content = files[path]
        parts.setdefault(section_name(path, len(content)), {})[path] = content
    return {name: Section(name, format_version, parts[name]) for name in sorted(parts)}


def _page_and_widgets(
    section: str, page: str, found: PageFiles, files: Mapping[str, bytes]
) -> list[Entity]:
    entities = widget_entities(section, page, found.widgets, files)
    if found.page_file:
        entities.append(found.page_entity(section, page, files))
    return entities
