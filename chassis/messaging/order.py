"""ShardBook: which committed rows may be sent from memory without overtaking an older one.

Pure bookkeeping, no I/O. A transaction opens a ticket before its statement runs and resolves it
afterwards. Rows leave in the order of the tickets of their shard, and only while the shard is
clear: nothing unsent lies in the table that memory does not know. Otherwise the shard is dirty
and its rows are left to a scan of the table.

Why ticket order is key order: two transactions on one aggregate are serial (compare-and-set), so
the later one opened its ticket after the earlier one had committed.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from chassis.messaging.outbox import Outgoing


@dataclass(slots=True)
class Ticket:
    """The rows of one transaction that its replica wants to send itself."""

    rows: dict[int, list[Outgoing]]  # by shard
    epochs: dict[int, int]  # as written into the rows
    committed: bool | None = None  # None: still under way
    foreign: frozenset[int] = frozenset()  # shards with rows of another epoch, older than these


@dataclass(slots=True)
class _Shard:
    epoch: int
    clear: bool = False
    doubted: int = 0  # an epoch that must not be used again
    missed: bool = False  # something was left to the table since the scan under way began
    queue: deque[Ticket] = field(default_factory=deque)


class ShardBook:
    """The shards that this replica holds."""

    def __init__(self) -> None:
        self._shards: dict[int, _Shard] = {}
        self.epochs: dict[int, int] = {}
        """The epoch to write into rows, by shard; shards in doubt are left out."""
        self.dirty: set[int] = set()
        """Shards whose table rows must be scanned."""

    def hold(self, leases: Mapping[int, int]) -> None:
        """The leases as they are now: shard -> epoch."""
        for number in self._shards.keys() - leases.keys():
            del self._shards[number]
        for number, epoch in leases.items():
            shard = self._shards.setdefault(number, _Shard(0))
            if shard.epoch != epoch and epoch > shard.doubted:
                shard.epoch = epoch
                self._soil(number, shard)
        self.dirty &= self._shards.keys()
        self._publish()

    def doubt(self, numbers: Iterable[int]) -> None:
        """A commit on these shards may or may not happen: trust the table alone until the lease
        has a new epoch, by which such a row can be told."""
        for number in numbers:
            shard = self._shards.get(number)
            if shard is not None:
                shard.doubted = max(shard.doubted, shard.epoch)
                shard.epoch = -1
                self._soil(number, shard)
        self._publish()

    def soil(self, numbers: Iterable[int]) -> None:
        """These shards may have rows that memory does not know. Others' shards are ignored."""
        for number in numbers:
            shard = self._shards.get(number)
            if shard is not None:
                self._soil(number, shard)

    def soil_all(self) -> None:
        """Trust memory for nothing."""
        self.soil(list(self._shards))

    def open(self, rows: dict[int, list[Outgoing]]) -> Ticket | None:
        """Before the statement runs. None when all rows belong to others' shards."""
        mine = {number: rows[number] for number in rows if number in self.epochs}
        if not mine:
            return None
        ticket = Ticket(mine, {number: self.epochs[number] for number in mine})
        for number in mine:
            self._shards[number].queue.append(ticket)
        return ticket

    def resolve(
        self, ticket: Ticket, *, committed: bool, foreign: Collection[int] = ()
    ) -> list[Outgoing]:
        """After the statement: the rows that may be sent now, in order."""
        ticket.committed = committed
        ticket.foreign = frozenset(foreign)
        ready: list[Outgoing] = []
        for number, epoch in ticket.epochs.items():
            shard = self._shards.get(number)
            if shard is None:
                continue  # lost: the new holder sees the old epoch and scans
            if shard.epoch != epoch and committed:
                self._soil(number, shard)
            ready += self._leave(number, shard)
        return ready

    def begin_scan(self, numbers: Iterable[int]) -> None:
        """Right before the table is read."""
        for number in numbers:
            self.dirty.discard(number)
            if number in self._shards:
                self._shards[number].missed = False

    def end_scan(self, numbers: Iterable[int], *, complete: bool) -> None:
        """What was read is on its way. `complete`: it was all that the table had."""
        for number in numbers:
            shard = self._shards.get(number)
            if shard is None:
                continue
            if complete and not shard.missed and shard.epoch > 0:
                shard.clear = True
            else:
                self._soil(number, shard)

    def _leave(self, number: int, shard: _Shard) -> list[Outgoing]:
        ready: list[Outgoing] = []
        while shard.queue and shard.queue[0].committed is not None:
            ticket = shard.queue.popleft()
            if not ticket.committed:
                continue
            known = shard.clear and number not in ticket.foreign
            if known and ticket.epochs[number] == shard.epoch:
                ready += ticket.rows[number]
            else:
                self._soil(number, shard)
        return ready

    def _soil(self, number: int, shard: _Shard) -> None:
        shard.clear, shard.missed = False, True
        self.dirty.add(number)

    def _publish(self) -> None:
        self.epochs = {n: shard.epoch for n, shard in self._shards.items() if shard.epoch > 0}
