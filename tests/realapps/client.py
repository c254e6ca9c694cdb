"""What Appsmith's client takes for code in a text, said as a rule rather than as a scanner.

It takes time that grows with the square of the length, and is for comparison alone.
"""

import re
from itertools import accumulate

BOUND = re.compile(r"\{\{[\s\S]*?\}\}")
WEIGHT = {"{": 1, "}": -1}


def snippets(text: str) -> list[str]:
    """The code that the client would run, in order.

    From the first `{{` on a piece ends at the first `}}` behind which as many braces are closed as
    opened; then the rest counts. Where there is no such place and braces remain open (or closed)
    all of the rest is one piece, with what stands before its `{{`; where none remain, it is none.
    """
    return _code(text.strip())


def _code(text: str) -> list[str]:
    start = text.find("{{")
    if start < 0:
        return []
    depths = list(accumulate(WEIGHT.get(char, 0) for char in text[start:]))
    ends = (
        i for i, depth in enumerate(depths, start) if depth == 0 and text[i - 1 : i + 1] == "}}"
    )
    end = next(ends, None)
    if end is not None:
        return _inside(text[start : end + 1]) + _code(text[end + 1 :])
    return _inside(text) if depths[-1] else []


def _inside(piece: str) -> list[str]:
    return [piece[2:-2]] if BOUND.search(piece) else []
