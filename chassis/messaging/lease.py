"""Leases: which replica relays which outbox shard. Kept in the service's own database."""

from collections.abc import Iterable
from datetime import timedelta

from chassis.stores.postgres import Database


class Leases:
    """This replica's leases, prolonged by `tick`.

    Time only decides when a dead replica's shards move; order never depends on it (see
    `ShardBook`: rows carry the epoch of the lease that they were written under).
    """

    def __init__(self, database: Database, *, owner: str, shards: int, lease_s: float) -> None:
        self._database = database
        self._owner = owner
        self._shards = shards
        self._lease = timedelta(seconds=lease_s)
        self._renumber: set[int] = set()
        self._wishes: list[int] = []

    def renumber(self, shards: Iterable[int]) -> None:
        """Give these leases a new epoch at the next tick."""
        self._renumber |= set(shards)

    def wish(self, shards: Iterable[int]) -> None:
        """Ask for these at the next tick, instead of a fair share of those that nobody wishes."""
        self._wishes = sorted(set(shards))

    async def tick(self) -> dict[int, int]:
        """Prolong, and take or give up shards until every living replica has what it wishes and
        its fair share of the rest. Gives what is held now, shard -> epoch. Raises Unavailable."""
        renumbered = list(self._renumber)
        rows = await self._database.fetch(
            "SELECT held_shard, held_epoch FROM relay_tick($1, $2, $3, $4, $5)",
            self._owner,
            self._lease,
            self._shards,
            renumbered,
            self._wishes,
        )
        self._renumber -= set(renumbered)
        return {row["held_shard"]: row["held_epoch"] for row in rows}

    async def leave(self) -> None:
        """Let the others have the shards at once."""
        await self._database.execute(
            "WITH gone AS (DELETE FROM relay_member WHERE owner = $1)"
            " UPDATE relay_lease SET owner = NULL, until = '-infinity' WHERE owner = $1",
            self._owner,
        )
