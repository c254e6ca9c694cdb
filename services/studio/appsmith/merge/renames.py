"""Names of one side carried over to the other two, with all that refers to them there.

So a rename and an edit merge: what the other side wrote meanwhile, of the thing or of its users,
says the new name, too. What a rename refuses to touch (see `references.rename`) keeps the names
that each side gave it, and merges like any other property.
"""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass

from services.studio.appsmith.entities import Kind
from services.studio.appsmith.match import pairs
from services.studio.appsmith.merge.conflicts import Referee, Side
from services.studio.appsmith.merge.naming import Names, Wish, names_after
from services.studio.appsmith.merge.turned import Trio, Turned
from services.studio.appsmith.refusals import EditRefused, ImportRefused
from services.studio.appsmith.sections import Section
from services.studio.references.rename import rename
from services.studio.references.renames.plan import Renamed

RENAMES_MAX = 100
"""Of one merge: each reads its page again, a tenth of a second for a page of 300 things."""

BYTES_MAX = 128 * 1024 * 1024
"""Of the pages that are read so, all together."""

REFUSALS = (EditRefused, ImportRefused, RecursionError, ValueError, KeyError)
"""What a rename of something strange may end with: then it is not renamed."""


@dataclass
class Renamer:
    """Renames, as long as there is room. `given`: names that the app's libraries bring."""

    given: Container[str] = ()
    left: int = RENAMES_MAX
    bytes_left: int = BYTES_MAX

    def has_room_for(self, sides: Trio, names: Names) -> bool:
        """Whether all that is wanted can be done: half of it helps nobody."""
        wanted = [len(_pending(one.section, names.of(n))) for n, one in enumerate(sides)]
        size = sum(w * _size(one.section) for w, one in zip(wanted, sides, strict=True))
        return sum(wanted) <= self.left and size <= self.bytes_left

    def rename(self, section: Section, one: str, name: str, *, mentions: bool) -> Renamed | None:
        """None when it is refused."""
        self.left -= 1
        self.bytes_left -= _size(section)
        try:
            done = rename(section, one, name, self.given, with_mentions=mentions)
            _ = done.section.entities
        except REFUSALS:
            return None
        return done


class _Refused(Exception):
    """A thing can't be renamed on a side."""

    def __init__(self, wish: Wish | None) -> None:
        super().__init__()
        self.wish = wish


def same_names(sides: Trio, referee: Referee, renamer: Renamer) -> Trio:
    """The sides with the same names for the same things, of what all three have."""
    dropped: set[str] = set()
    base, ours, theirs = (one.section for one in sides)
    paired = pairs(base, ours), pairs(base, theirs)
    while True:
        apart = referee.apart()
        names = names_after(sides, paired, dropped, apart)
        if names.change_nothing or not renamer.has_room_for(sides, names):
            break
        try:
            turned = [_carried_over(n, sides, names, renamer) for n in range(3)]
        except _Refused as refused:
            if refused.wish is None:
                break
            dropped.add(refused.wish.ids[0])
        else:
            referee.take(apart)
            return turned[0], turned[1], turned[2]
    return sides


def _carried_over(n: int, sides: Trio, names: Names, renamer: Renamer) -> Turned:
    """One side with the names of `names`. Raises _Refused."""
    turned = sides[n]
    wishes = {one.ids[n]: one for one in names.wishes.values()}
    pending = {
        one: (name, wishes.get(one)) for one, name in _pending(turned.section, names.of(n)).items()
    }
    while pending:
        one, name = _next(turned.section, {i: wanted for i, (wanted, _) in pending.items()})
        final, wish = pending[one]
        mentions = wish is not None and _with_mentions(wish, sides, renamer)
        if renamer.left <= 0:
            raise _Refused(None)
        done = renamer.rename(turned.section, one, name, mentions=mentions)
        if done is None:
            raise _Refused(wish)
        if name == final:
            del pending[one]
        pending = {done.moved.get(i, i): wanted for i, wanted in pending.items()}
        turned = turned.to(done.section, done.moved)
    return turned


def _pending(section: Section, names: Mapping[str, str]) -> dict[str, str]:
    return {one: name for one, name in names.items() if section.by_id[one].name != name}


def _size(section: Section) -> int:
    return sum(map(len, section.files.values()))


def _next(section: Section, pending: dict[str, str]) -> tuple[str, str]:
    """What to rename next, and to what: when each waits for another's name, to one between."""
    held = {section.by_id[one].name for one in pending}
    names = {e.name for e in section.entities}
    for one in sorted(pending, key=lambda i: section.by_id[i].kind is not Kind.SCRIPT_FUNCTION):
        if pending[one] not in held:
            return one, pending[one]
    one = next(iter(pending))
    count = 2
    while f"{pending[one]}{count}" in names:
        count += 1
    return one, f"{pending[one]}{count}"


def _with_mentions(wish: Wish, sides: Trio, renamer: Renamer) -> bool:
    """Whether whoever gave the name changed texts that are the name, too."""
    if wish.by is None:
        return False
    base, side = sides[0].section, sides[1 if wish.by is Side.OURS else 2].section
    less = quoted(base, wish.names[0]) - quoted(side, wish.names[0])
    if less <= 0:
        return False
    tried = renamer.rename(base, wish.ids[0], wish.name, mentions=False)
    return tried is not None and 0 < len(tried.mentions) <= less


def quoted(section: Section, name: str) -> int:
    """Strings in code that are the name, for whatever they stand."""
    word = re.escape(name.encode())
    plain = re.compile(rb"""["'`]%s["'`]""" % word)
    escaped = re.compile(rb"""(?:'|`|\\")%s(?:'|`|\\")""" % word)
    return sum(
        len((escaped if path.endswith(".json") else plain).findall(content))
        for path, content in section.files.items()
    )
