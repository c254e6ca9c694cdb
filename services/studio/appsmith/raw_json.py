"""JSON text as it stands: where a value is, and lists that gain or lose one, all else untouched.

To read a document and write it again would change its layout, its escapes and its numbers.
"""

import json
import re
from collections.abc import Iterator

Way = tuple[str | int, ...]
"""Keys and list places that lead to a value."""

_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
_SPACE = re.compile(r"[ \t\n\r]*")
_INDENT = re.compile(r"\n([ \t]+)")


def parts(text: str, at: int) -> Iterator[tuple[str | int, int, int]]:
    """Keys or places of the object or list that begins at `at`, with where each value stands."""
    closing = "]" if text[at] == "[" else "}"
    place, at = 0, _skipped(text, at + 1)
    while text[at] != closing:
        key: str | int = place
        if closing == "}":
            key, end = _DECODER.raw_decode(text, at)
            at = _skipped(text, _skipped(text, end) + 1)
        _, end = _DECODER.raw_decode(text, at)
        yield key, at, end
        place, at = place + 1, _skipped(text, end)
        if text[at] == ",":
            at = _skipped(text, at + 1)


def span(text: str, way: Way) -> tuple[int, int]:
    """Where the value at a path stands; of a key that stands twice, the last. KeyError when there
    is none."""
    start = _skipped(text, 0)
    end = len(text.rstrip())
    for key in way:
        if text[start] not in "[{":
            raise KeyError(way)
        found = [(a, b) for k, a, b in parts(text, start) if k == key and type(k) is type(key)]
        if not found:
            raise KeyError(way)
        start, end = found[-1]
    return start, end


def item_at(text: str, way: Way) -> str:
    """A value's text, laid out as if it stood at the margin."""
    start, end = span(text, way)
    return _moved_to(text[start:end], _margin(text, start), "")


def without_item(text: str, way: Way, place: int) -> str:
    """A document whose list at a path has one item less."""
    start, end = span(text, way)
    items = [(a, b) for _, a, b in parts(text, start)]
    if len(items) == 1:
        return f"{text[:start]}[]{text[end:]}"
    if place == 0:
        return text[: items[0][0]] + text[items[1][0] :]
    return text[: items[place - 1][1]] + text[items[place][1] :]


def with_item(text: str, way: Way, item: str, place: int | None = None) -> str:
    """A document whose list at a path has one item more, as its last or at a place; `item` as
    `item_at` gives it. Laid out as what is there."""
    start, end = span(text, way)
    items = [(a, b) for _, a, b in parts(text, start)]
    if not items:
        return text[:start] + _alone(text, start, item) + text[end:]
    if place is None or place >= len(items):
        floor, here = (items[-2][1] if len(items) > 1 else start + 1), items[-1][0]
        lead, end = _lead(text, floor, here), items[-1][1]
        return text[:end] + "," + lead + _moved_to(item, "", _margin(text, here)) + text[end:]
    floor, here = (items[place - 1][1] if place else start + 1), items[place][0]
    put = _moved_to(item, "", _margin(text, here)) + "," + _lead(text, floor, here)
    return text[:here] + put + text[here:]


def with_value(text: str, way: Way, raw: str) -> str:
    """A document with another value at a path, given as JSON text of one line."""
    start, end = span(text, way)
    return text[:start] + raw + text[end:]


def _alone(text: str, start: int, item: str) -> str:
    unit = _INDENT.search(text)
    if unit is None:
        return f"[{item}]"
    line = text.rfind("\n", 0, start) + 1
    outer = text[line : _skipped(text, line)]
    inner = outer + unit[1]
    return f"[\n{inner}{_moved_to(item, '', inner)}\n{outer}]"


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


def _skipped(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
