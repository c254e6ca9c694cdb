"""A small service for tests of the machinery: accounts, their handlers, and how to build it."""

from dataclasses import dataclass, field
from uuid import UUID

from chassis.clock import SystemClock, new_id
from chassis.errors import Rejected, Unavailable
from chassis.messaging.chunk import ChunkLimits, CommandChunk
from chassis.messaging.deadletters import DeadLetters, Sender
from chassis.messaging.handlers import Handlers
from chassis.messaging.outbox import CommitPoint
from chassis.messaging.unit import Kit
from chassis.resources import Resources
from chassis.stores.aggregates import AggregateStore
from chassis.stores.migrate import CHASSIS, migrate
from chassis.stores.postgres import Database
from contracts.billing.account import (
    AccountOpened,
    CloseAccount,
    CommitQuota,
    OpenAccount,
    Plan,
    QuotaCommitted,
    QuotaExceeded,
    QuotaReleased,
    QuotaReserved,
    ReleaseQuota,
    ReserveQuota,
)

TABLE = """
CREATE TABLE account (
    id uuid PRIMARY KEY, workspace_id uuid, revision bigint NOT NULL, version bigint NOT NULL,
    state jsonb NOT NULL, label text UNIQUE
) WITH (fillfactor = 50)
"""
POISON = UUID(int=666)
"""An app whose commit fails like a bug."""


@dataclass
class Account:
    workspace_id: UUID
    units_max: int = 5
    label: str | None = None
    reservations: dict[UUID, int] = field(default_factory=dict)
    commits: list[UUID] = field(default_factory=list)


class SqlAccounts(AggregateStore[Account]):
    table = "account"
    aggregate = Account
    announces = "account"
    columns = {"label": ("text", lambda account: account.label)}  # noqa: RUF012

    @staticmethod
    def key(account: Account) -> UUID:
        return account.workspace_id


@dataclass
class Weather:
    """Decides what the next handlers meet."""

    down: bool = False
    calls: int = 0
    mended: bool = False


async def reserve_quota(command: ReserveQuota, accounts: SqlAccounts) -> QuotaReserved:
    account = await accounts.get(command.workspace_id) or Account(command.workspace_id)
    reserved = QuotaReserved(
        workspace_id=command.workspace_id,
        reservation_id=command.reservation_id,
        app_id=command.app_id,
        units=command.units,
    )
    if command.reservation_id in account.reservations:
        return reserved
    account.reservations[command.reservation_id] = command.units
    if sum(account.reservations.values()) > account.units_max:  # after the change: undone
        raise Rejected(QuotaExceeded(workspace_id=command.workspace_id, units_left=0))
    accounts.save(account)
    return reserved


async def release_quota(command: ReleaseQuota, accounts: SqlAccounts) -> QuotaReleased:
    account = await accounts.get(command.workspace_id)
    if account is not None and account.reservations.pop(command.reservation_id, 0):
        accounts.save(account)
    return QuotaReleased(workspace_id=command.workspace_id, reservation_id=command.reservation_id)


async def commit_quota(
    command: CommitQuota, accounts: SqlAccounts, weather: Weather
) -> QuotaCommitted:
    weather.calls += 1
    if weather.down:
        raise Unavailable("a dependency of the test")
    account = await accounts.get(command.workspace_id) or Account(command.workspace_id)
    account.commits.append(command.reservation_id)
    accounts.save(account)
    if command.app_id == POISON and not weather.mended:
        raise RuntimeError("a bug")
    return QuotaCommitted(
        workspace_id=command.workspace_id,
        reservation_id=command.reservation_id,
        app_id=command.app_id,
    )


async def open_account(command: OpenAccount, accounts: SqlAccounts) -> AccountOpened:
    """One label for all: the second one reads through to find it taken."""
    found = await accounts.find("label = $1", "the only one")
    if found is None:
        accounts.save(Account(command.workspace_id, label="the only one"))
        return AccountOpened(workspace_id=command.workspace_id, plan=Plan.FREE)
    return AccountOpened(workspace_id=found.workspace_id, plan=Plan.FREE)


HANDLERS = (reserve_quota, release_quota, commit_quota, open_account)


async def a_database(url: str, *, pool_max: int = 8) -> Database:
    """Migrated, with the account table."""
    await migrate(url, [CHASSIS])
    database = await Database.open(url, pool_max=pool_max)
    await database.execute(TABLE)
    return database


def a_chunk(
    database: Database,
    commit_point: CommitPoint,
    sender: Sender,
    *,
    weather: Weather | None = None,
    limits: ChunkLimits | None = None,
    group: str = "billing",
) -> CommandChunk:
    resources = Resources(settings=None, clock=SystemClock(), opened={"postgres": database})
    handlers = Handlers(HANDLERS, provides={}, given={Weather: weather or Weather()})
    kit = Kit("billing", group, handlers, resources, commit_point)
    return CommandChunk(kit, DeadLetters(group, sender), limits)


def a_reserve_quota(workspace_id: UUID, *, units: int = 1) -> ReserveQuota:
    return ReserveQuota(
        workspace_id=workspace_id, reservation_id=new_id(), app_id=new_id(), units=units
    )


def a_commit_quota(workspace_id: UUID, *, app_id: UUID | None = None) -> CommitQuota:
    return CommitQuota(
        workspace_id=workspace_id,
        reservation_id=new_id(),
        app_id=app_id or new_id(),
        pointer_version=1,
    )


async def state_of(database: Database, workspace_id: UUID) -> dict[str, object]:
    row = await database.fetchrow("SELECT * FROM account WHERE id = $1", workspace_id)
    return dict(row) if row else {}


__all__ = ["CloseAccount", "a_chunk", "a_commit_quota", "a_database", "a_reserve_quota", "state_of"]
