"""A consumer with a parking lot, on a real database: what is broken can be mended in a test."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chassis.clock import SystemClock, new_id
from chassis.messaging.chunk import ChunkLimits, CommandChunk
from chassis.messaging.deadletters import DeadLetters
from chassis.messaging.envelope import Envelope
from chassis.messaging.handlers import Handlers
from chassis.messaging.outbox import CommitPoint
from chassis.messaging.unit import Kit
from chassis.parking.loop import LoopLimits, ParkedKeys
from chassis.parking.lot import LotLimits
from chassis.resources import Resources
from chassis.stores.postgres import Database
from chassis.testing.messages import DirectCommit, FakeRecord, FakeSender, a_command, a_record
from contracts.billing.account import CommitQuota, QuotaCommitted
from tests.chassis.messaging.quota import Account, SqlAccounts, a_commit_quota

GROUP = "billing"
TOPIC = "cmd.billing.v1"


@dataclass
class Mood:
    """Which apps' commands fail, and how; what was handled, in order."""

    failing: dict[UUID, Exception] = field(default_factory=dict)
    handled: list[UUID] = field(default_factory=list)
    tries: int = 0


async def commit_quota(command: CommitQuota, accounts: SqlAccounts, mood: Mood) -> QuotaCommitted:
    mood.tries += 1
    if command.app_id in mood.failing:
        failure = mood.failing[command.app_id]
        raise failure.with_traceback(None)  # the same one each time: it would only grow
    account = await accounts.get(command.workspace_id) or Account(command.workspace_id)
    account.commits.append(command.reservation_id)
    accounts.save(account)
    return QuotaCommitted(
        workspace_id=command.workspace_id,
        reservation_id=command.reservation_id,
        app_id=command.app_id,
    )


@dataclass
class Yard:
    """One replica's chunk handler and loop."""

    database: Database
    mood: Mood
    sender: FakeSender
    chunk: CommandChunk
    keys: ParkedKeys
    offset: int = 0

    def records(self, commands: Sequence[Envelope]) -> list[FakeRecord]:
        """The next records of the partition."""
        first, self.offset = self.offset, self.offset + len(commands)
        return [a_record(c, offset=first + n) for n, c in enumerate(commands)]

    async def take(self, *commands: Envelope) -> None:
        """They arrive in one chunk."""
        await self.chunk(self.records(commands))

    async def rows(self, columns: str = "state") -> list[Any]:
        """The letters, oldest first."""
        rows = await self.database.fetch(f"SELECT {columns} FROM dead_letter ORDER BY seq")
        return [row[0] if len(row) == 1 else tuple(row) for row in rows]

    async def due(self) -> None:
        """Let no head wait any longer."""
        await self.database.execute("UPDATE dead_letter SET next_at = NULL")

    async def retry(self) -> None:
        """Everything that is parked is tried once more."""
        await self.due()
        while await self.keys.round():
            pass

    async def commits(self, workspace_id: UUID) -> list[UUID]:
        """What the account saw, in order."""
        row = await self.database.fetchrow("SELECT state FROM account WHERE id = $1", workspace_id)
        return [UUID(text) for text in row["state"]["commits"]] if row else []


def a_yard(
    database: Database,
    *,
    mood: Mood | None = None,
    sender: FakeSender | None = None,
    commit_point: CommitPoint | None = None,
    open_max: int = 10_000,
    loop: LoopLimits | None = None,
) -> Yard:
    """A replica of the group, with its first retry far away."""
    mood, sender = mood or Mood(), sender or FakeSender()
    resources = Resources(settings=None, clock=SystemClock(), opened={"postgres": database})
    handlers = Handlers((commit_quota,), provides={}, given={Mood: mood})
    kit = Kit(GROUP, GROUP, handlers, resources, commit_point or DirectCommit(database))
    limits = loop or LoopLimits(pause_s=60.0, conflict_s=0.001, count_s=0.0)
    chunk = CommandChunk(
        kit,
        DeadLetters(GROUP, sender),
        ChunkLimits(pause_s=0.001),
        LotLimits(open_max=open_max, first_pause_s=limits.pause_s),
    )
    keys = ParkedKeys(chunk.lot, [TOPIC], chunk.replay, database, resources.clock, limits)
    return Yard(database, mood, sender, chunk, keys)


def a_commit(workspace_id: UUID, app_id: UUID | None = None) -> Envelope:
    """A command of this workspace's key; `app_id` decides whether it fails."""
    return a_command(a_commit_quota(workspace_id, app_id=app_id or new_id()))


def reservations(commands: Sequence[Envelope]) -> list[UUID]:
    """What each of these commands commits."""
    return [CommitQuota.model_validate_json(c.data).reservation_id for c in commands]
