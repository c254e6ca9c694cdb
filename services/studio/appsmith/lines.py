"""Lines that two texts have in common: what both the diff and the merge of texts stand on.

The matching is difflib's, which the standard library keeps and every reader knows, between anchors:
lines that occur once in either text (patience diff). Alone difflib takes cubic time on texts of few
different lines; the anchors make the pieces small, and a budget bounds what is left: pieces beyond
it count as different, which is never wrong, only coarse.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

LINES_MAX = 200_000
"""Longer texts are compared by their beginning and end alone."""

PIECE_MAX = 250 * 250
"""Pairs of lines between two anchors; a larger piece counts as different."""

PAIRS_MAX = 4_000_000
"""Pairs of lines in all pieces together."""

Match = tuple[int, int, int]
"""(start in the one, start in the other, how many lines), as difflib has it."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that were replaced; numbers count from 1. Either text may be empty."""

    line_before: int
    line_after: int
    before: str
    after: str


def lines_of(text: str) -> list[str]:
    """The lines with their ends: joined, they are the text again."""
    return text.splitlines(keepends=True)


def hunks(before: str, after: str) -> Iterator[Hunk]:
    """What to replace, in order, to make the one text the other."""
    old, new = lines_of(before), lines_of(after)
    at, to = 0, 0
    for start, other, size in [*matches(old, new), (len(old), len(new), 0)]:
        if at < start or to < other:
            yield Hunk(at + 1, to + 1, "".join(old[at:start]), "".join(new[to:other]))
        at, to = start + size, other + size


def matches(one: Sequence[str], other: Sequence[str]) -> list[Match]:
    """Blocks of equal lines, in order in both; what is between two blocks differs."""
    head = _common(one, other)
    tail = _common(one[head:][::-1], other[head:][::-1])
    end, other_end = len(one) - tail, len(other) - tail
    found = [(0, 0, head)]
    if end - head + other_end - head <= LINES_MAX:
        at, to, pairs = head, head, 0
        for anchor, beside in [*_anchors(one, other, head, end, other_end), (end, other_end)]:
            piece = (anchor - at) * (beside - to)
            pairs += piece
            if piece <= PIECE_MAX and pairs <= PAIRS_MAX:
                found += _blocks(one, other, at, anchor, to, beside)
            if anchor < end:
                found.append((anchor, beside, 1))
            at, to = anchor + 1, beside + 1
    return _joined([*found, (end, other_end, tail)])


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _anchors(
    one: Sequence[str], other: Sequence[str], start: int, end: int, other_end: int
) -> list[tuple[int, int]]:
    """The longest run, in order in both, of lines that occur once in each."""
    rare = {line for line, n in Counter(one[start:end]).items() if n == 1}
    rare &= {line for line, n in Counter(other[start:other_end]).items() if n == 1}
    place = {line: start + i for i, line in enumerate(other[start:other_end]) if line in rare}
    pairs = [(start + i, place[x]) for i, x in enumerate(one[start:end]) if x in rare]
    tops: list[int] = []  # the smallest last place of a run of each length
    ends: list[int] = []  # which pair that is
    before: list[int] = []  # the pair that comes before each in its run
    for index, (_, beside) in enumerate(pairs):
        length = bisect_left(tops, beside)
        before.append(ends[length - 1] if length else -1)
        if length == len(tops):
            tops.append(beside)
            ends.append(index)
        else:
            tops[length], ends[length] = beside, index
    run: list[tuple[int, int]] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        run.append(pairs[at])
        at = before[at]
    return run[::-1]


def _blocks(
    one: Sequence[str], other: Sequence[str], at: int, end: int, to: int, other_end: int
) -> list[Match]:
    matcher = SequenceMatcher(None, one[at:end], other[to:other_end], autojunk=False)
    return [(at + a, to + b, size) for a, b, size in matcher.get_matching_blocks() if size]


def _joined(found: list[Match]) -> list[Match]:
    """Neighbours made one; empty ones left out."""
    joined: list[Match] = []
    for start, other, size in found:
        if not size:
            continue
        if joined:
            last, beside, count = joined[-1]
            if last + count == start and beside + count == other:
                joined[-1] = (last, beside, count + size)
                continue
        joined.append((start, other, size))
    return joined
