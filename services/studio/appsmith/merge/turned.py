"""A side of a merge, said in other names: the same work, with the names and files of another side.

Two sides are merged by what is where. Where one of them has renamed or moved something, the other
two are turned first, as if it had been called so and had been there all the time.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from services.studio.appsmith.entities import Kind
from services.studio.appsmith.sections import Section

CONTENT = (Kind.WIDGET, Kind.QUERY, Kind.SCRIPT, Kind.SCRIPT_FUNCTION)
"""What a page is made of, and people rename and move."""


@dataclass(frozen=True, slots=True)
class Turned:
    """A section as it is said now. `was`: the ids that things had before, by those of now; the
    same ones are left out."""

    section: Section
    was: Mapping[str, str] = field(default_factory=dict)

    def to(self, section: Section, moved: Mapping[str, str]) -> "Turned":
        """Said once more in other words. `moved`: ids that changed, old to new."""
        old = {new: self.was.get(one, one) for one, new in moved.items()}
        kept = {now: was for now, was in self.was.items() if now not in moved}
        return Turned(section, {now: was for now, was in {**kept, **old}.items() if now != was})

    def with_paths(self, paths: Mapping[str, str], name: str = "") -> "Turned":
        """With files called otherwise, and perhaps the section. Raises ImportRefused when that
        makes no section."""
        old = self.section
        files = {paths.get(path, path): content for path, content in old.files.items()}
        name = name or old.name
        new = Section(name, old.format_version, dict(sorted(files.items())))
        return self.to(new, dict(_moved_ids(old, new, paths)))


Trio = tuple[Turned, Turned, Turned]
"""Base, ours, theirs."""


def _moved_ids(
    before: Section, after: Section, paths: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """An entity keeps its place among those of its file."""
    now: dict[str, list[str]] = defaultdict(list)
    for one in reversed(after.entities):
        now[one.path].append(one.entity_id)
    for one in before.entities:
        new_id = now[paths.get(one.path, one.path)].pop()
        if new_id != one.entity_id:
            yield one.entity_id, new_id
