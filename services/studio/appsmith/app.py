"""App: a whole source tree, read; and back to files again."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from services.studio.appsmith.app_level import names_given
from services.studio.appsmith.entities import ENTITIES_MAX, Entity, Kind, load_object, text
from services.studio.appsmith.page_files import page_file_name
from services.studio.appsmith.refusals import ImportRefused, Rule
from services.studio.appsmith.sections import APP_SECTION, FORMATS, Section, split
from services.studio.appsmith.tree import SourceTree

APPLICATION, METADATA = "application.json", "metadata.json"


@dataclass(frozen=True)
class App:
    """An app's sections by name; some only, where a task needs no more (an edit, say)."""

    format_version: int
    sections: Mapping[str, Section]

    def __iter__(self) -> Iterator[Entity]:
        for section in self.sections.values():
            yield from section.entities

    @property
    def counts(self) -> dict[str, int]:
        """How many entities there are of each kind; every kind has its number."""
        found = Counter(entity.kind for entity in self)
        return {kind.value: found[kind] for kind in Kind}

    @property
    def given(self) -> frozenset[str]:
        """Names that its libraries bring to code."""
        return names_given(self)

    @property
    def files(self) -> dict[str, bytes]:
        """All files by path."""
        return {p: content for s in self.sections.values() for p, content in s.files.items()}

    def tree(self) -> SourceTree:
        """The source: for an app that was parsed, exactly what it was parsed from."""
        return SourceTree(self.files)

    def find(self, entity_id: str) -> Entity | None:
        """The entity of that id, among the sections that are here."""
        for section in self.sections.values():
            if found := section.by_id.get(entity_id):
                return found
        return None

    def with_sections(self, changed: Iterable[Section], gone: Iterable[str] = ()) -> "App":
        """The app with some sections replaced or new, and others gone."""
        sections = {**self.sections, **{section.name: section for section in changed}}
        for name in gone:
            sections.pop(name, None)
        return App(self.format_version, {name: sections[name] for name in sorted(sections)})


def parse(tree: Mapping[str, bytes]) -> App:
    """Read a source tree. Raises ImportRefused when a file that matters is missing or broken."""
    for path in (APPLICATION, METADATA):
        if path not in tree:
            raise ImportRefused(path=path, rule=Rule.MISSING_FILE, detail="every app has one")
    files = tree.files if isinstance(tree, SourceTree) else tree
    app = App(version := detect_format(files[METADATA]), split(files, version))
    if sum(len(section.entities) for section in app.sections.values()) > ENTITIES_MAX:
        detail = f"more than {ENTITIES_MAX} entities"
        raise ImportRefused(path="", rule=Rule.TOO_MANY_ENTITIES, detail=detail)
    _check_pages(app)
    return app


def detect_format(metadata: bytes) -> int:
    """The format version that a root `metadata.json` tells. Raises ImportRefused."""
    version = load_object(METADATA, metadata).get("fileFormatVersion")
    if isinstance(version, bool) or version not in FORMATS or not isinstance(version, int):
        known = ", ".join(map(str, FORMATS))
        detail = f"fileFormatVersion is {str(version)[:20]!r}; {known} are read"
        raise ImportRefused(path=METADATA, rule=Rule.UNSUPPORTED_FORMAT, detail=detail)
    return version


def export(app: App) -> SourceTree:
    """The source tree of an app: text as bytes, JSON as values, unknown files and all."""
    return app.tree()


def page_ids(application: Mapping[str, object]) -> list[str]:
    """The pages that `application.json` lists, in their order."""
    pages = application.get("pages")
    listed = pages if isinstance(pages, list) else []
    return [i for i in (x.get("id") for x in listed if isinstance(x, dict)) if isinstance(i, str)]


def _check_pages(app: App) -> None:
    """Each listed page has its file."""
    application = load_object(APPLICATION, app.sections[APP_SECTION].files[APPLICATION])
    pages = [entity for entity in app if entity.kind is Kind.PAGE]
    known = {page.page for page in pages} | {page.name for page in pages}
    for page in page_ids(application):
        if page not in known and text(page) not in known:
            path = f"pages/{page}/{page_file_name(page, app.format_version)}"
            detail = f"{APPLICATION} lists the page {page!r}"
            raise ImportRefused(path=path, rule=Rule.MISSING_FILE, detail=detail)
