"""The long work of a workspace, whoever owns it, as one list: newest first."""

import asyncio
import base64
import binascii

import orjson

from contracts.operation import ListOperations
from contracts.operation import Operation as OperationContract
from services.gateway.errors import BadInput, Fault
from services.gateway.graphql.connection import FIRST_MAX, Connection, Edge, PageInfo
from services.gateway.graphql.operations import Operation
from services.gateway.scope import WORKERS, Scope

Place = tuple[str, int]  # (a page's cursor, how many of its items were already seen)


async def operations_of(
    scope: Scope, workspace_id: object, first: int, after: str | None
) -> Connection[Operation]:
    """One page, merged by start time. A cursor remembers the place in each owner's list."""
    if not 0 <= first <= FIRST_MAX:
        raise BadInput(Fault("first", f"must be between 0 and {FIRST_MAX}"))
    places = _read(after)
    pages = await asyncio.gather(
        *(_page(scope, workspace_id, owner, places[owner], first) for owner in WORKERS)
    )
    rest = {owner: items for owner, (items, _) in zip(WORKERS, pages, strict=True)}
    following = {owner: cursor for owner, (_, cursor) in zip(WORKERS, pages, strict=True)}
    edges: list[Edge[Operation]] = []
    while len(edges) < first and any(rest.values()):
        owner = max((o for o in WORKERS if rest[o]), key=lambda o: rest[o][0].started_at)
        shown = rest[owner].pop(0)
        start, seen = places[owner]
        exhausted = not rest[owner] and following[owner]
        places[owner] = (following[owner], 0) if exhausted else (start, seen + 1)
        edges.append(Edge(node=Operation.of(shown), cursor=_write(places)))
    more = any(rest.values()) or any(following.values())
    return Connection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=PageInfo(
            has_next_page=more,
            has_previous_page=bool(after),
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
    )


async def _page(
    scope: Scope, workspace_id: object, owner: str, place: Place, first: int
) -> tuple[list[OperationContract], str]:
    start, seen = place
    query = ListOperations.model_validate(
        {"workspace_id": workspace_id, "limit": seen + max(first, 1), "cursor": start}
    )
    answer = await scope.ask(query, owner=owner)
    return list(answer.operations[seen:]), answer.cursor_next


def _write(places: dict[str, Place]) -> str:
    raw = orjson.dumps([places[owner] for owner in WORKERS])
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _read(after: str | None) -> dict[str, Place]:
    if not after:
        return dict.fromkeys(WORKERS, ("", 0))
    try:
        padded = after + "=" * (-len(after) % 4)
        rows = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        places = {
            o: (str(start), int(seen)) for o, (start, seen) in zip(WORKERS, rows, strict=True)
        }
    except (binascii.Error, ValueError, TypeError):
        raise BadInput(Fault("after", "is not a cursor of this list")) from None
    if any(not 0 <= seen <= FIRST_MAX for _, seen in places.values()):
        raise BadInput(Fault("after", "is not a cursor of this list"))
    return places
