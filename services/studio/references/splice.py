"""Change strings of a JSON text where they stand: every other character stays as it was.

To read a document and write it again would change its layout, its escapes and its numbers.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.studio.appsmith.compare import Path

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]', re.DOTALL)
_SIGN = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|.", re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class Splice:
    """`text[start:end]`, in code points, becomes `new`."""

    start: int
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class Spot:
    """A string in a document: the value at a path, or the key that it ends with."""

    path: Path
    is_key: bool = False


def spliced(text: str, splices: Sequence[Splice]) -> str:
    """A text with its splices made; they must not overlap."""
    parts, at = [], 0
    for one in sorted(splices):
        parts += [text[at : one.start], one.new]
        at = one.end
    return "".join([*parts, text[at:]])


def spliced_json(text: str, wanted: Mapping[Spot, Sequence[Splice]]) -> str:
    """A JSON text with splices made in some of its strings, counted in the strings' own code
    points. Of a key that stands twice in an object both are meant. KeyError for a spot that there
    is not."""
    missing = set(wanted)
    parts, at = [], 0
    for start, end, spot in _strings(text, {spot.path[-1] for spot in wanted}):
        if spot in wanted:
            missing.discard(spot)
            inside = _raw_splices(text[start + 1 : end - 1], wanted[spot])
            parts += [text[at : start + 1], spliced(text[start + 1 : end - 1], inside)]
            at = end - 1
    if missing:
        raise KeyError(missing.pop())
    return "".join([*parts, text[at:]])


def _strings(text: str, last: set[str | int]) -> list[tuple[int, int, Spot]]:
    """Strings whose path ends in one of `last`: where they stand, and their spot."""
    found = []
    way: list[str | int] = []  # to where we are; an object's last key, a list's place
    objects: list[bool] = []
    is_key = False
    for token in _TOKEN.finditer(text):
        sign = token[0][0]
        if sign == '"':
            if is_key:
                way[-1] = json.loads(token[0])
            if way and way[-1] in last:
                found.append((token.start(), token.end(), Spot(tuple(way), is_key)))
            is_key = False
        elif sign in "{[":
            objects.append(sign == "{")
            way.append("" if sign == "{" else 0)
            is_key = sign == "{"
        elif sign == ",":
            is_key = objects[-1]
            if not is_key:
                way[-1] = int(way[-1]) + 1
        else:
            objects.pop()
            way.pop()
            is_key = False
    return found


def _raw_splices(raw: str, splices: Sequence[Splice]) -> list[Splice]:
    """The same for the string as it is written, with its escapes."""
    if "\\" in raw:
        places = [0, *(sign.end() for sign in _SIGN.finditer(raw))]
    else:
        places = list(range(len(raw) + 1))
    return [
        Splice(places[s.start], places[s.end], json.dumps(s.new, ensure_ascii=False)[1:-1])
        for s in splices
    ]
