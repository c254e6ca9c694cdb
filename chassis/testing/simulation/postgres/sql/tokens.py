"""Tokens of an SQL text."""

import re
from typing import NamedTuple


class UnknownStatement(Exception):
    """The simulated PostgreSQL does not know this text (or a part of it), and says so."""


class Token(NamedTuple):
    """`kind`: word, name (quoted), string, number, param, op or end. Words are in lower case."""

    kind: str
    text: str


_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*)
  | (?P<string>'(?:[^']|'')*')
  | (?P<name>"[^"]+")
  | (?P<param>\$\d+)
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<word>[A-Za-z_][A-Za-z_0-9]*)
  | (?P<op>::|!~|~\*|~|->>|->|\|\||<=|>=|<>|!=|<@|@>|=>|[-+*/%<>=()\[\],.;?])
    """,
    re.VERBOSE,
)


def tokens_of(text: str) -> list[Token]:
    """All tokens, and one of kind `end`. Raises UnknownStatement."""
    found: list[Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise UnknownStatement(f"at {text[place : place + 40]!r} in: {text}")
        place = match.end()
        kind = match.lastgroup or ""
        if kind == "space":
            continue
        piece = match.group()
        if kind == "word":
            piece = piece.lower()
        elif kind == "string":
            piece = piece[1:-1].replace("''", "'")
        elif kind == "name":
            piece = piece[1:-1]
        found.append(Token(kind, piece))
    found.append(Token("end", ""))
    return found
