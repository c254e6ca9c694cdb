"""Where code stands in a text: `{{ }}`, split as Appsmith's client splits it.

The client counts braces and knows no strings: what it would run is what counts here, not what an
author may have meant (app/client/src/utils/DynamicBindingUtils.ts, getDynamicStringSegments).
"""

import re
from dataclasses import dataclass

_BRACE = re.compile(r"[{}]")


@dataclass(frozen=True, slots=True)
class Segment:
    """Code at `text[start:end]`, without its braces. `whole`: its braces do not match, so that all
    of the text from the last matching one on is taken for code, as the client does."""

    start: int
    end: int
    whole: bool = False


def is_bound(text: str) -> bool:
    """Whether a text has code in it.

    >>> is_bound("Hello {{ user.name }}"), is_bound("{{ not closed")
    (True, False)
    """
    start = text.find("{{")
    return start >= 0 and text.find("}}", start + 2) >= 0


def segments(text: str) -> list[Segment]:
    """The code in a text, in order; in time that grows with its length alone.

    >>> [text[s.start:s.end] for text in ("a {{ {x: 1}.x }} b {{c}}",) for s in segments(text)]
    [' {x: 1}.x ', 'c']
    """
    found: list[Segment] = []
    at = len(text) - len(text.lstrip())
    stop = len(text.rstrip())
    while (start := text.find("{{", at, stop)) >= 0:
        end = _closing(text, start, stop)
        if end < 0:
            if is_bound(text[at:stop]):
                found.append(Segment(min(at + 2, stop - 2), stop - 2, whole=True))
            break
        if is_bound(text[start:end]):
            found.append(Segment(start + 2, end - 2))
        at = end
    return found


def _closing(text: str, start: int, stop: int) -> int:
    """Behind the `}}` with which the braces from `start` on come to nothing; -1: they never do."""
    depth = 0
    for brace in _BRACE.finditer(text, start, stop):
        if brace[0] == "{":
            depth += 1
            continue
        depth -= 1
        at = brace.start()
        if depth == 0 and text[at - 1] == "}":
            return at + 1
    return -1
