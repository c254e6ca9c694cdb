"""Cursors of lists that are ordered by a number."""

from chassis.errors import FieldError, InvalidMessage

_DIGITS_MAX = 18
"""What a bigint surely holds."""


def number_of(cursor: str) -> int | None:
    """The number in a query's `cursor`; None for the first page. Raises InvalidMessage."""
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _DIGITS_MAX):
        raise InvalidMessage([FieldError("cursor", "cursor", "not a cursor of ours")])
    return int(cursor)
