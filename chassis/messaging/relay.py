"""Relay: the commit point of a service. Writes the outbox, then sees to it that its rows leave.

Right after a commit the rows go out from memory if this replica holds their shard and knows of
nothing older (`ShardBook`); otherwise the table is scanned (`Carrier`). A look for rows older than
`poll_age_s` is the guarantee behind every faster way.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from uuid import UUID

import structlog
from asyncpg import PostgresError

from chassis.clock import Clock, chance, new_id
from chassis.errors import Conflict, Unavailable
from chassis.faults import FAULTS
from chassis.messaging.carrier import Carrier
from chassis.messaging.envelope import Headers
from chassis.messaging.inbox import prune_inbox
from chassis.messaging.lease import Leases
from chassis.messaging.limits import RelayLimits
from chassis.messaging.metrics import OUTBOX_AGE, SHARDS_HELD
from chassis.messaging.nudge import Nudges
from chassis.messaging.order import ShardBook, Ticket
from chassis.messaging.outbox import Outbox, Outgoing, add_outbox, hash_of
from chassis.messaging.producer import Producer, Watcher
from chassis.messaging.quiet import quiet_kafka_logs
from chassis.stores.postgres import Database, Statement

log = structlog.get_logger()

_FOREIGN = """ARRAY(SELECT s.shard FROM unnest({}::int[], {}::bigint[]) AS s(shard, epoch)
    WHERE EXISTS (SELECT FROM outbox AS o WHERE o.shard = s.shard AND o.epoch < s.epoch)
       OR EXISTS (SELECT FROM outbox AS o WHERE o.shard = s.shard AND o.epoch > s.epoch))"""
_STALE = """SELECT id, shard, extract(epoch FROM now() - created_at)::float8 AS age FROM outbox
    WHERE shard = ANY($1::int[]) AND created_at < now() - $2 * interval '1 second'
    ORDER BY created_at LIMIT 500"""
_MINT_TRIES = 100  # with one shard in six, all of them fail once in eighty million ids


class Relay:
    """One replica's relay: `start` it, `commit` through it, `stop` it."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        connect: Callable[[Watcher], Producer],
        limits: RelayLimits | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._limits = limits or RelayLimits()
        self._book = ShardBook()
        self._carrier = Carrier(database, clock, connect, self._limits, self._book)
        owner = str(new_id())  # of this process's life: a restarted replica is another one
        self._leases = Leases(
            database, owner=owner, shards=self._limits.shards, lease_s=self._limits.lease_s
        )
        self._nudges = Nudges(database, clock, self._nudged)
        self._tasks: list[asyncio.Task[None]] = []
        self._down = "the relay has not reached PostgreSQL yet"

    async def start(self) -> None:
        """Begin to relay in the background. Waits neither for Kafka nor for PostgreSQL."""
        quiet_kafka_logs()
        loops = (self._heartbeat, *self._carrier.loops, self._nudges.run, self._prune)
        self._tasks = [asyncio.create_task(self._forever(loop)) for loop in loops]

    async def stop(self, timeout: float = 5.0) -> None:
        """Send what is in memory for at most `timeout` seconds, then hand the shards over."""
        if self._tasks:
            await self._carrier.drain(timeout)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        try:
            await self._carrier.delete_acked()
            await self._leases.leave()
        except (Unavailable, Conflict) as error:
            log.warning("relay_leaves_without_goodbye", error=str(error))
        await self._carrier.disconnect(timeout)

    def wish(self, shards: Iterable[int]) -> None:
        """Hold these rather than others: those of the partitions that are consumed here, since
        what their messages cause lies in them, and then leaves from memory. A hint."""
        self._leases.wish(shard for shard in shards if shard < self._limits.shards)

    def mint(self) -> UUID:
        """A fresh id whose shard this replica holds, if it holds any: what is sent for it under
        this key leaves from memory, and what is answered arrives here."""
        held, tries = self._book.epochs, _MINT_TRIES
        made = new_id()
        while held and tries and hash_of(str(made)) % self._limits.shards not in held:
            made, tries = new_id(), tries - 1
        return made

    def not_ready(self) -> str:
        """Why nothing can be relayed now; "" when all is well. For /readyz."""
        return self._down or self._carrier.down

    async def commit(self, statement: Statement, outbox: Outbox) -> None:
        """Run the statement with the outbox's rows in it; they leave right afterwards.

        Raises Conflict (nothing happened) or Unavailable (it may have happened: the inbox of the
        next attempt knows).
        """
        rows = [Outgoing.of(envelope, self._limits.shards) for envelope in outbox]
        if not rows and not statement:
            return
        by_shard: dict[int, list[Outgoing]] = {}
        for row in rows:
            by_shard.setdefault(row.shard, []).append(row)
        acked = self._carrier.take_acked()
        ticket = self._book.open(by_shard)
        try:
            foreign = await self._run(statement, rows, ticket, acked)
        except BaseException as error:
            self._carrier.give_back(acked)
            self._fail(ticket, error)
            raise
        self._carrier.forget(acked)
        if ticket is not None:
            ready = self._book.resolve(ticket, committed=True, foreign=foreign)
            self._carrier.enqueue(ready, "memory")
            self._carrier.rouse()
        others = by_shard.keys() - (ticket.epochs.keys() if ticket else ())
        if others:
            self._nudges.send(others)

    async def send(self, topic: str, key: bytes | None, value: bytes, headers: Headers) -> None:
        """One record past the outbox, confirmed (dead letters). Raises Unavailable."""
        await self._carrier.send(topic, key, value, headers)

    async def _run(
        self,
        statement: Statement,
        rows: Sequence[Outgoing],
        ticket: Ticket | None,
        acked: Sequence[UUID],
    ) -> list[int]:
        """The held shards in which older rows of another epoch lie."""
        epochs = ticket.epochs if ticket else {}
        add_outbox(statement, rows, epochs)
        if acked:
            statement.add("DELETE FROM outbox WHERE id = ANY({}::uuid[])", acked)
        if epochs:
            statement.select("foreign_shards", _FOREIGN, list(epochs), list(epochs.values()))
        if FAULTS.armed:
            await FAULTS.at("outbox.before_commit", rows)
        row = await statement.run(self._database)
        if FAULTS.armed:
            await FAULTS.at("outbox.after_commit", rows)
        return list(row["foreign_shards"]) if epochs else []

    def _fail(self, ticket: Ticket | None, error: BaseException) -> None:
        """A refusal by the server is certain; anything else leaves the commit in doubt."""
        if ticket is None:
            return
        if not isinstance(error, Conflict | PostgresError):
            self._leases.renumber(ticket.epochs)
            self._book.doubt(ticket.epochs)
        self._carrier.enqueue(self._book.resolve(ticket, committed=False), "memory")
        self._carrier.rouse()

    def _nudged(self, shards: Iterable[int] | None) -> None:
        if shards is None:
            self._book.soil_all()
        else:
            self._book.soil(shards)
        self._carrier.rouse()

    async def _heartbeat(self) -> None:
        while True:
            try:
                self._book.hold(await self._leases.tick())
                self._down = ""
                SHARDS_HELD.set(len(self._book.epochs))
                await self._look_for_stale()
                self._carrier.rouse()
            except (Unavailable, Conflict) as error:
                self._down = str(error)
                log.warning("relay_heartbeat_missed", error=str(error))
            await self._clock.sleep(self._limits.tick_s)

    async def _look_for_stale(self) -> None:
        """The guarantee: rows that no faster way has taken."""
        held = list(self._book.epochs)
        rows = await self._database.fetch(_STALE, held, self._limits.poll_age_s)
        self._book.soil({row["shard"] for row in rows if not self._carrier.has(row["id"])})
        unsent = [row["age"] for row in rows if not self._carrier.is_acked(row["id"])]
        OUTBOX_AGE.set(max(unsent, default=0.0))

    async def _prune(self) -> None:
        """Forget what was handled long ago, a little at a time."""
        while True:
            await self._clock.sleep(self._limits.prune_s * (0.5 + chance()))
            try:
                gone = await prune_inbox(self._database, self._limits.inbox_keep_s)
            except (Unavailable, Conflict) as error:
                log.warning("inbox_not_pruned", error=str(error))
            else:
                log.info("inbox_pruned", rows=gone)

    async def _forever(self, loop: Callable[[], Awaitable[None]]) -> None:
        """A bug in a loop must not end it."""
        while True:
            try:
                await loop()
            except Exception:
                log.exception("relay_loop_failed")
            self._book.soil_all()
            await self._clock.sleep(self._limits.retry_s)
