"""Names for copies."""

import re
from collections.abc import Container

from services.studio.appsmith import Section
from services.studio.references.platform import PLATFORM
from services.studio.references.scopes import WORDS

NAME_CUT = 150
"""A copy's name is made of so much of the old one at most."""

_WORD = re.compile(r"[\w$]+")


class CopyNames:
    """Names that stand nowhere on a page, not even in its code: no variable can take them."""

    def __init__(self, section: Section, given: Container[str]) -> None:
        files = (one.decode("utf-8", "replace") for one in section.files.values())
        self._words = {word for text in files for word in _WORD.findall(text)}
        self._words |= {one.name for one in section.entities}
        self._given = given
        self._counts: dict[str, int] = {}  # from where to go on: there may be thousands of a name

    def free(self, old: str) -> str:
        """`TableCopy`, `TableCopy1` and so on."""
        base = f"{old[:NAME_CUT]}Copy"
        count = self._counts.get(base, 0)
        while self._is_taken(name := f"{base}{count or ''}"):
            count += 1
        self._counts[base] = count + 1
        self._words.add(name)
        return name

    def _is_taken(self, name: str) -> bool:
        known = (self._words, PLATFORM, WORDS, self._given)
        return any(name in names for names in known)
