"""What a revision was made of: imported contents, and pages that were called otherwise then.

What was wrong with those may be published (docs/adr/0020).
"""

from dataclasses import dataclass, field

IMPORTS_MAX = 8
PAGES_MAX = 500
"""So much is remembered, the newest: of a revision that was merged of many."""


@dataclass(frozen=True)
class Past:
    """`imports`: digests of imported contents, the newest last. `pages`: folders of pages that are
    not only themselves -> the folders in the imported contents that they, or things on them, come
    from."""

    imports: list[str] = field(default_factory=list)
    pages: dict[str, list[str]] = field(default_factory=dict)

    def folders(self, page: str) -> list[str]:
        """Where a page, and what is on it, was when it was imported."""
        return self.pages.get(page, [page])

    def followed(self, entity_id: str, entity_id_now: str) -> "Past":
        """After an entity, or a page, was renamed, moved or copied: its id before and afterwards,
        which say the page."""
        page, other = _page_of(entity_id), _page_of(entity_id_now)
        if page == other or not page or not other:
            return self
        folders = {other: _last([*self.folders(other), *self.folders(page)], PAGES_MAX)}
        others = {k: v for k, v in self.pages.items() if k != other}
        return Past(self.imports, _newest({**others, **folders}))

    def begun(self, page_id: str) -> "Past":
        """After a page was made: it is its own, even in a folder that an imported one had."""
        others = {k: v for k, v in self.pages.items() if k != _page_of(page_id)}
        return Past(self.imports, _newest({**others, _page_of(page_id): []}))

    def merged(self, ours: "Past") -> "Past":
        """Of both; ours are the newer imports."""
        pages = {
            page: _last([*self.folders(page), *ours.folders(page)], PAGES_MAX)
            for page in {**self.pages, **ours.pages}
        }
        return Past(_last([*self.imports, *ours.imports], IMPORTS_MAX), _newest(pages))


def _page_of(entity_id: str) -> str:
    """The folder of the page that it is on, or is; empty at the app level."""
    path = entity_id.partition(":")[2].split("/")
    return path[1] if path[0] == "pages" and len(path) > 1 else ""


def _last(values: list[str], at_most: int) -> list[str]:
    """Each once."""
    return [*dict.fromkeys(values)][-at_most:]


def _newest(pages: dict[str, list[str]]) -> dict[str, list[str]]:
    return dict([*pages.items()][-PAGES_MAX:])
