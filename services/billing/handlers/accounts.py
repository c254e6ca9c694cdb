"""What billing does when it is asked, and when an app goes off the air.

A repeated command changes nothing, saves nothing and is answered as the first time.
"""

from uuid import UUID

from chassis.errors import Rejected
from contracts.billing.account import (
    AccountClosed,
    AccountOpened,
    ChangePlan,
    CloseAccount,
    CommitQuota,
    EntitlementsChanged,
    OpenAccount,
    PlanChanged,
    PlanHasPrice,
    QuotaCommitted,
    QuotaReleased,
    QuotaReserved,
    ReleaseQuota,
    ReserveQuota,
    UnitsFreed,
)
from contracts.delivery.release import AppUnpublished
from services.billing.model.accounts import Account, Accounts, account_of


async def open_account(
    command: OpenAccount, accounts: Accounts
) -> tuple[AccountOpened, EntitlementsChanged]:
    """Open on the free plan."""
    account = await accounts.get(command.workspace_id)
    if account is None:
        account = Account(command.workspace_id)
        accounts.save(account)
    account.demand_reopenable()
    opened = AccountOpened(workspace_id=account.workspace_id, plan=account.plan)
    return opened, entitlements_of(account)


async def close_account(command: CloseAccount, accounts: Accounts) -> AccountClosed:
    """Close what was opened, if anything was."""
    account = await accounts.get(command.workspace_id)
    if account and account.close():
        accounts.save(account)
    return AccountClosed(workspace_id=command.workspace_id)


async def change_plan(command: ChangePlan, accounts: Accounts) -> PlanChanged:
    """Nobody subscribes without paying: only the plan that it is already is a success."""
    account = await account_of(accounts, command.workspace_id)
    if account.plan != command.plan:
        raise Rejected(PlanHasPrice(workspace_id=account.workspace_id, plan=command.plan))
    return PlanChanged(
        workspace_id=account.workspace_id, plan=account.plan, previous_plan=account.plan
    )


async def reserve_quota(command: ReserveQuota, accounts: Accounts) -> QuotaReserved:
    """Hold units for a publish."""
    account = await account_of(accounts, command.workspace_id)
    if account.reserve(command.reservation_id, command.app_id, command.units):
        accounts.save(account)
    return QuotaReserved(
        workspace_id=account.workspace_id,
        reservation_id=command.reservation_id,
        app_id=command.app_id,
        units=command.units,
    )


async def release_quota(command: ReleaseQuota, accounts: Accounts) -> QuotaReleased:
    """Give back what a publish held, if it held anything."""
    account = await accounts.get(command.workspace_id)
    if account and account.release(command.reservation_id):
        accounts.save(account)
    return QuotaReleased(workspace_id=command.workspace_id, reservation_id=command.reservation_id)


async def commit_quota(command: CommitQuota, accounts: Accounts) -> QuotaCommitted:
    """The app is live: count it."""
    account = await accounts.get(command.workspace_id)
    assert account, "a reservation was made on this account, and accounts are never deleted"
    if account.commit(command.reservation_id, command.app_id, command.pointer_version):
        accounts.save(account)
    return QuotaCommitted(
        workspace_id=account.workspace_id,
        reservation_id=command.reservation_id,
        app_id=command.app_id,
    )


async def free_units(event: AppUnpublished, accounts: Accounts) -> UnitsFreed | None:
    """An app that is live nowhere costs nothing."""
    account = await accounts.get(event.workspace_id)
    if account is None or event.environments_live:
        return None
    units = account.free(event.app_id, event.pointer_version)
    accounts.save(account)
    if not units:
        return None
    return UnitsFreed(workspace_id=account.workspace_id, app_id=event.app_id, units=units)


def entitlements_of(account: Account, hold_id: UUID | None = None) -> EntitlementsChanged:
    """The limits of the account's plan; they end a hold."""
    limits = account.limits.model_dump()
    return EntitlementsChanged(workspace_id=account.workspace_id, hold_id=hold_id, **limits)


HANDLERS = (
    open_account,
    close_account,
    change_plan,
    reserve_quota,
    release_quota,
    commit_quota,
    free_units,
)
