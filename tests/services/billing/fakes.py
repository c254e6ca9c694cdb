"""Accounts in memory, and builders of billing's commands."""

from uuid import UUID

from chassis.clock import new_id
from contracts.billing.account import CommitQuota, Plan, ReleaseQuota, ReserveQuota
from contracts.delivery.environment import Environment
from contracts.delivery.release import AppUnpublished
from services.billing.model.accounts import Account
from services.billing.model.changes import PlanChange


class FakeAccounts:
    """Fulfils Accounts; `saved` counts what a real store would write."""

    def __init__(self, *accounts: Account) -> None:
        self.accounts = {account.workspace_id: account for account in accounts}
        self.saved = 0

    async def get(self, workspace_id: UUID) -> Account | None:
        return self.accounts.get(workspace_id)

    def save(self, account: Account) -> None:
        self.accounts[account.workspace_id] = account
        self.saved += 1


class FakeChanges:
    """Fulfils PlanChanges."""

    def __init__(self) -> None:
        self.changes: dict[UUID, PlanChange] = {}

    async def get(self, change_id: UUID) -> PlanChange | None:
        return self.changes.get(change_id)

    def save(self, change: PlanChange) -> None:
        self.changes[change.change_id] = change


def an_account(plan: Plan = Plan.FREE) -> Account:
    return Account(new_id(), plan)


def a_reserve_quota(account: Account, app_id: UUID | None = None, units: int = 1) -> ReserveQuota:
    return ReserveQuota(
        workspace_id=account.workspace_id,
        reservation_id=new_id(),
        app_id=app_id or new_id(),
        units=units,
    )


def a_release_quota(reserve: ReserveQuota) -> ReleaseQuota:
    return ReleaseQuota(workspace_id=reserve.workspace_id, reservation_id=reserve.reservation_id)


def a_commit_quota(reserve: ReserveQuota, pointer_version: int = 1) -> CommitQuota:
    return CommitQuota(
        workspace_id=reserve.workspace_id,
        reservation_id=reserve.reservation_id,
        app_id=reserve.app_id,
        pointer_version=pointer_version,
    )


def an_app_unpublished(
    account: Account, app_id: UUID, pointer_version: int, still: tuple[Environment, ...] = ()
) -> AppUnpublished:
    return AppUnpublished(
        workspace_id=account.workspace_id,
        app_id=app_id,
        environment=Environment.STAGING,
        previous_release_id=new_id(),
        environments_live=list(still),
        pointer_version=pointer_version,
    )
