"""JSON text as it stands: where a value is, and lists that gain or lose one, all else untouched.

To read a document and write it again would change its layout, its escapes and its numbers.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Way = tuple[str | int, ...]
"""Keys and list places that lead to a value."""

Span = tuple[int, int]

_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
_SPACE = re.compile(r"[ \t\n\r]*")
_INDENT = re.compile(r"\n([ \t]+)")


@dataclass(slots=True)
class _Holder:
    """An object or list that is being read, for what is `below` it."""

    way: Way
    below: Mapping[str | int, Any]  # as in `spans`
    start: int
    closing: str
    place: int = -1

    def key_at(self, text: str, at: int) -> tuple[str | int, int]:
        """The next key or place, and where its value stands."""
        self.place += 1
        if self.closing == "]":
            return self.place, at
        key, end = _DECODER.raw_decode(text, at)
        return key, _skipped(text, _skipped(text, end) + 1)


def parts(text: str, at: int) -> Iterator[tuple[str | int, int, int]]:
    """Keys or places of the object or list that begins at `at`, with where each value stands."""
    holder = _Holder((), {}, at, "]" if text[at] == "[" else "}")
    at = _skipped(text, at + 1)
    while text[at] != holder.closing:
        key, at = holder.key_at(text, at)
        _, end = _DECODER.raw_decode(text, at)
        yield key, at, end
        at = _after(text, end)


def spans(text: str, ways: Collection[Way]) -> dict[Way, Span]:
    """Where the values at some paths stand, found in one pass; of a key that stands twice, the
    last. What is not there is left out."""
    wanted: dict[str | int, Any] = {}  # keys, and below each the same
    for way in ways:
        below = wanted
        for key in way:
            below = below.setdefault(key, {})
    found = {way: (start, end) for way, start, end in _values(text, wanted)}
    return {way: found[way] for way in ways if way in found and _is_last(way, found)}


def span(text: str, way: Way) -> Span:
    """Where the value at a path stands. KeyError when there is none."""
    return spans(text, [way])[way]


def item_at(text: str, way: Way) -> str:
    """A value's text, laid out as if it stood at the margin."""
    start, end = span(text, way)
    return _moved_to(text[start:end], _margin(text, start), "")


def items_at(text: str, ways: Collection[Way]) -> list[str]:
    """The same of several, in their order; what is not there is left out."""
    return [
        _moved_to(text[start:end], _margin(text, start), "")
        for start, end in spans(text, ways).values()
    ]


def without_item(text: str, way: Way, place: int) -> str:
    """A document whose list at a path has one item less."""
    return without_items(text, {way: {place}})


def without_items(text: str, gone: Mapping[Way, Collection[int]]) -> str:
    """A document whose lists at some paths, none inside of another's item that goes, have fewer
    items."""
    cuts: list[tuple[int, int, str]] = []
    for way, (start, end) in spans(text, gone).items():
        items = [(a, b) for _, a, b in parts(text, start)]
        kept = [place for place in range(len(items)) if place not in gone[way]]
        if not kept:
            cuts.append((start, end, "[]"))
            continue
        if kept[0]:
            cuts.append((items[0][0], items[kept[0]][0], ""))
        cuts += [
            (items[place - 1][1], items[place][1], "")
            for place in gone[way]
            if kept[0] < place < len(items)
        ]
    return _replaced(text, cuts)


def with_item(text: str, way: Way, item: str, place: int | None = None) -> str:
    """A document whose list at a path has one item more, as its last or at a place; `item` as
    `item_at` gives it. Laid out as what is there."""
    start, _ = span(text, way)
    items = [(a, b) for _, a, b in parts(text, start)]
    if place is None or place >= len(items):
        return with_items(text, {way: [item]})
    floor, here = (items[place - 1][1] if place else start + 1), items[place][0]
    put = _moved_to(item, "", _margin(text, here)) + "," + _lead(text, floor, here)
    return text[:here] + put + text[here:]


def with_items(text: str, more: Mapping[Way, Sequence[str]]) -> str:
    """The same of several lists, each with some items more as its last."""
    found = spans(text, more).items()
    return _replaced(text, [_appended(text, *place, more[way]) for way, place in found])


def with_value(text: str, way: Way, raw: str) -> str:
    """A document with another value at a path, given as JSON text of one line."""
    start, end = span(text, way)
    return text[:start] + raw + text[end:]


def _values(text: str, wanted: Mapping[str | int, Any]) -> Iterator[tuple[Way, int, int]]:
    """Values on the ways to what is wanted, each after those in it. What is on no way is skipped
    by the decoder; nothing is read twice, however deep."""
    holders: list[_Holder] = []
    at, way, below = _skipped(text, 0), Way(), wanted
    while True:
        if below and text[at] in "[{":
            holders.append(_Holder(way, below, at, "]" if text[at] == "[" else "}"))
            at = _skipped(text, at + 1)
        else:
            _, end = _DECODER.raw_decode(text, at)
            yield way, at, end
            at = _after(text, end)
        while holders:
            holder = holders[-1]
            if text[at] == holder.closing:
                yield holder.way, holder.start, at + 1
                at = _after(text, at + 1)
                holders.pop()
                continue
            key, at = holder.key_at(text, at)
            if key in holder.below:
                way, below = (*holder.way, key), holder.below[key]
                break
            _, end = _DECODER.raw_decode(text, at)
            at = _after(text, end)
        else:
            return


def _is_last(way: Way, found: Mapping[Way, Span]) -> bool:
    """Whether all around it is what the path means, and not another value of a key's."""
    return all(
        found[way[:n]][0] <= found[way[: n + 1]][0] < found[way[:n]][1] for n in range(len(way))
    )


def _appended(text: str, start: int, end: int, more: Sequence[str]) -> tuple[int, int, str]:
    """What to put where."""
    items = [(a, b) for _, a, b in parts(text, start)]
    if not items:
        return start, end, _alone(text, start, more)
    floor, here = (items[-2][1] if len(items) > 1 else start + 1), items[-1][0]
    lead, margin, last = _lead(text, floor, here), _margin(text, here), items[-1][1]
    return last, last, "".join(f",{lead}{_moved_to(item, '', margin)}" for item in more)


def _replaced(text: str, places: Iterable[tuple[int, int, str]]) -> str:
    """A text with other parts at some places, which are apart."""
    kept, at = list[str](), 0
    for start, end, new in sorted(places):
        kept += [text[at:start], new]
        at = end
    return "".join([*kept, text[at:]])


def _alone(text: str, start: int, items: Sequence[str]) -> str:
    unit = _INDENT.search(text)
    if unit is None:
        return f"[{','.join(items)}]"
    line = text.rfind("\n", 0, start) + 1
    outer = text[line : _skipped(text, line)]
    inner = outer + unit[1]
    listed = f",\n{inner}".join(_moved_to(item, "", inner) for item in items)
    return f"[\n{inner}{listed}\n{outer}]"


def _moved_to(item: str, old: str, new: str) -> str:
    """The same lines at another margin; a string of JSON has no line breaks in it."""
    first, *others = item.split("\n")
    return "\n".join([first, *(new + line.removeprefix(old) for line in others)])


def _lead(text: str, floor: int, at: int) -> str:
    """The white space right before an item."""
    before = text[floor:at]
    return before[len(before.rstrip()) :]


def _margin(text: str, at: int) -> str:
    """The white space that a value's line begins with."""
    line = text.rfind("\n", 0, at) + 1
    return text[line : min(at, _skipped(text, line))]


def _after(text: str, at: int) -> int:
    """Where the next key or item is, or what closes the list or object, or the end."""
    at = _skipped(text, at)
    return _skipped(text, at + 1) if text[at : at + 1] == "," else at


def _skipped(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
