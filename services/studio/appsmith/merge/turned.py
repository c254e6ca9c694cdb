"""A side of a merge, said in other names: the same work, with the names and files of another side.

Two sides are merged by what is where. Where one of them has renamed or moved something, the other
two are turned first, as if it had been called so and had been there all the time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.studio.appsmith.entities import Kind
from services.studio.appsmith.sections import Section, renamed_files

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
        return self.to(*renamed_files(self.section, paths, name=name))


Trio = tuple[Turned, Turned, Turned]
"""Base, ours, theirs."""
