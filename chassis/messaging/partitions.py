"""Tables that are partitioned by the time in their ids (UUIDv7): what they ask of the code."""

from collections.abc import Sequence
from operator import attrgetter
from uuid import UUID

from prometheus_client import Gauge

from chassis.stores.postgres import Database

UNTIL = Gauge(
    "basalt_partitions_until_seconds",
    "Until when a table's partitions are there, as Unix time; later rows go to the default one",
    ["table"],
)
AHEAD = 2
"""Weeks or months for which partitions are there in advance."""

TIMEOUT_S = 30.0

_NONE = UUID(int=0)
_number = attrgetter("int")


def span(ids: Sequence[UUID]) -> tuple[UUID, UUID]:
    """The lowest and the highest. A query over `id = ANY(ids)` that also says so opens no
    partition outside; without it, it looks into all of them."""
    if not ids:
        return _NONE, _NONE
    return min(ids, key=_number), max(ids, key=_number)


async def ahead(database: Database, table: str, unit: str) -> None:
    """Make the partitions of now and of the coming weeks or months (`unit`), where they lack.
    Without one nothing fails: there is always a default partition. Raises Conflict: others held
    the locks for long."""
    until = await database.fetchval(
        "SELECT id_partitions($1, $2, $3)",
        table,
        unit,
        AHEAD,
        timeout=TIMEOUT_S,
    )
    UNTIL.labels(table).set(until.timestamp())
