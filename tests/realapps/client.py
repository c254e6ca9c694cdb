"""What Appsmith's client takes for code in a text, said as a rule rather than as a scanner.

It takes time that grows with the square of the length, and is for comparison alone.
"""

import re
from collections.abc import Iterator
from itertools import accumulate

BOUND = re.compile(r"\{\{[\s\S]*?\}\}")
WEIGHT = {"{": 1, "}": -1}


def snippets(text: str) -> list[str]:
    """The code that the client would run, in order.

    From the first `{{` on a piece ends at the first `}}` behind which as many braces are closed as
    opened; then the rest counts. Where there is no such place and braces remain open (or closed)
    all of the rest is one piece, with what stands before its `{{`; where none remain, it is none.
    """
    return [text[start:end] for start, end in places(text)]


def places(text: str) -> Iterator[tuple[int, int]]:
    """Where that code stands."""
    begin = len(text) - len(text.lstrip())
    stop = len(text.rstrip())
    for start, end in _pieces(text[begin:stop]):
        if BOUND.search(text, begin + start, begin + end):
            yield begin + start + 2, begin + end - 2


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    begin = 0
    while (start := text.find("{{", begin)) >= 0:
        depths = list(accumulate(WEIGHT.get(char, 0) for char in text[start:]))
        closed = (i for i, depth in enumerate(depths, start) if depth == 0)
        end = next((i for i in closed if text[i - 1 : i + 1] == "}}"), None)
        if end is None:
            if depths[-1]:
                yield begin, len(text)
            return
        yield start, end + 1
        begin = end + 1
