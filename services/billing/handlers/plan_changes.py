"""Changes of plan: opened with their price, cancelled, or applied once they are paid."""

from chassis.clock import Clock
from contracts.billing.account import EntitlementsChanged, PlanChanged
from contracts.billing.plan_change import (
    ApplyPlan,
    CancelPlanChange,
    OpenPlanChange,
    PlanChangeCancelled,
    PlanChangeOpened,
)
from services.billing.handlers.accounts import entitlements_of
from services.billing.model.accounts import Accounts, account_of
from services.billing.model.changes import PlanChange, PlanChanges, change_of
from services.billing.model.ledger import Ledger
from services.billing.model.plans import PLANS


async def open_plan_change(
    command: OpenPlanChange, accounts: Accounts, changes: PlanChanges, clock: Clock
) -> PlanChangeOpened:
    """Its price is settled now, and nothing is published beyond its limit meanwhile."""
    change = await changes.get(command.change_id)
    if change is None:
        account = await account_of(accounts, command.workspace_id)
        account.begin_change(command.change_id, command.plan)
        change = PlanChange.opened(command.change_id, account, command.plan, clock.now())
        changes.save(change)
        accounts.save(account)
    return _opened(change)


async def cancel_plan_change(
    command: CancelPlanChange, accounts: Accounts, changes: PlanChanges
) -> PlanChangeCancelled:
    """Undo it, if it is open."""
    change = await changes.get(command.change_id)
    if change and change.workspace_id == command.workspace_id and change.cancel():
        changes.save(change)
        account = await account_of(accounts, command.workspace_id)
        if account.end_change(change.change_id):
            accounts.save(account)
    return PlanChangeCancelled(workspace_id=command.workspace_id, change_id=command.change_id)


async def apply_plan(
    command: ApplyPlan, accounts: Accounts, changes: PlanChanges, ledger: Ledger, clock: Clock
) -> tuple[PlanChanged, EntitlementsChanged]:
    """The plan changes, the books say why, and everybody learns the limits."""
    change = await change_of(changes, command.workspace_id, command.change_id)
    account = await account_of(accounts, command.workspace_id)
    if change.apply():
        changes.save(change)
        account.end_change(change.change_id)
        account.take_credit(change.currency, change.credit_minor)
        if change.plan != change.previous_plan:
            account.subscribe(change.plan, change.paid_until)
        accounts.save(account)
        for transaction in change.transactions(clock.now()):
            ledger.post(transaction)
    changed = PlanChanged(
        workspace_id=account.workspace_id,
        plan=change.plan,
        previous_plan=change.previous_plan,
        amount_minor=change.amount_minor,
        currency=change.currency,
    )
    return changed, entitlements_of(account, command.hold_id)


def _opened(change: PlanChange) -> PlanChangeOpened:
    limits = PLANS[change.plan]
    return PlanChangeOpened(
        workspace_id=change.workspace_id,
        change_id=change.change_id,
        plan=change.plan,
        previous_plan=change.previous_plan,
        amount_minor=change.amount_minor,
        credit_minor=change.credit_minor,
        currency=change.currency,
        apps_max=limits.apps_max,
        releases_max=limits.releases_max,
        members_max=limits.members_max,
    )


HANDLERS = (open_plan_change, cancel_plan_change, apply_plan)
