"""Relay connections over pages that services give with a cursor at their end.

A service's cursor says where a page begins. An edge's cursor is that, and how many items of the
page were already seen, so that a client may go on after any edge, not only after the last one.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import strawberry

from chassis.errors import InvalidMessage, Rejected
from services.gateway.errors import BadInput, Fault

T = TypeVar("T")
N = TypeVar("N")

FIRST_DEFAULT = 50
FIRST_MAX = 100
NO_CURSOR = "is not a cursor of this list"


@strawberry.type(description="Where a page ends, and whether more follows.")
class PageInfo:
    """Relay's; paging backward is not offered."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type(description="An item of a connection and the cursor to go on after it.")
class Edge(Generic[T]):
    """Relay's."""

    node: T
    cursor: str


@strawberry.type(description="A page of items.")
class Connection(Generic[T]):
    """Relay's, with `nodes` as a shortcut."""

    edges: list[Edge[T]]
    nodes: list[T]
    page_info: PageInfo


Page = tuple[Sequence[N], str]  # items, and the cursor of the next page ("" = there is none)


async def paged(
    first: int,
    after: str | None,
    fetch: Callable[[int, str], Awaitable[Page[N]]],
    wrap: Callable[[N], T],
) -> Connection[T]:
    """One page. `fetch(limit, cursor)` asks the service; BadInput for a bad `first` or `after`."""
    if not 0 <= first <= FIRST_MAX:
        raise BadInput(Fault("first", f"must be between 0 and {FIRST_MAX}"))
    start, skip = read_cursor(after)
    try:
        items, following = await fetch(skip + max(first, 1), start)
    except (Rejected, InvalidMessage) as error:
        if start and _blames_cursor(error):
            raise BadInput(Fault("after", NO_CURSOR)) from None
        raise
    shown = items[skip : skip + first]
    more = bool(following) or len(items) > skip + len(shown)
    cursors = [write_cursor(start, skip + i + 1) for i in range(len(shown))]
    if cursors and following and len(items) == skip + len(shown):
        cursors[-1] = write_cursor(following, 0)
    nodes = [wrap(item) for item in shown]
    return Connection(
        edges=[Edge(node=node, cursor=cursor) for node, cursor in zip(nodes, cursors, strict=True)],
        nodes=nodes,
        page_info=PageInfo(
            has_next_page=more,
            has_previous_page=bool(start or skip),
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        ),
    )


def write_cursor(start: str, seen: int) -> str:
    """After `seen` items of the page that begins at `start`."""
    return base64.urlsafe_b64encode(f"{seen}:{start}".encode()).rstrip(b"=").decode()


def read_cursor(text: str | None) -> tuple[str, int]:
    """(start, seen). BadInput for what no page gave."""
    if not text:
        return "", 0
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        seen, _, start = raw.decode().partition(":")
        number = int(seen)
    except (binascii.Error, ValueError):
        raise BadInput(Fault("after", NO_CURSOR)) from None
    if not 0 <= number <= FIRST_MAX:
        raise BadInput(Fault("after", NO_CURSOR))
    return start, number


def _blames_cursor(error: Rejected | InvalidMessage) -> bool:
    if isinstance(error, Rejected):
        return error.rejection.address.name.endswith("CursorInvalid")
    return any(fault.field == "cursor" for fault in error.errors)
