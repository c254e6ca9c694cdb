"""Changes of plan: what they keep to while they are open."""

import pytest

from chassis.clock import SystemClock, new_id
from chassis.errors import Rejected
from contracts.billing.account import Plan, PlanTooSmall, QuotaExceeded
from contracts.billing.plan_change import CancelPlanChange, OpenPlanChange
from services.billing.handlers.accounts import reserve_quota
from services.billing.handlers.plan_changes import cancel_plan_change, open_plan_change
from tests.services.billing.fakes import FakeAccounts, FakeChanges, a_reserve_quota, an_account


class TestOpenPlanChange:
    async def test_nothing_is_published_beyond_a_smaller_plan_until_it_is_cancelled(self) -> None:
        account = an_account(Plan.TEAM)
        accounts, changes = FakeAccounts(account), FakeChanges()
        for _ in range(2):
            await reserve_quota(a_reserve_quota(account), accounts)
        change = OpenPlanChange(
            workspace_id=account.workspace_id, change_id=new_id(), plan=Plan.FREE
        )
        await open_plan_change(change, accounts, changes, SystemClock())

        with pytest.raises(Rejected) as refusal:
            await reserve_quota(a_reserve_quota(account), accounts)

        assert refusal.value.rejection == QuotaExceeded(
            workspace_id=account.workspace_id, units_left=0
        )
        cancel = CancelPlanChange(workspace_id=account.workspace_id, change_id=change.change_id)
        for _ in range(2):
            await cancel_plan_change(cancel, accounts, changes)
        await reserve_quota(a_reserve_quota(account), accounts)
        assert account.units_used == 3

    async def test_a_plan_below_what_is_in_use_is_refused(self) -> None:
        account = an_account(Plan.TEAM)
        accounts = FakeAccounts(account)
        await reserve_quota(a_reserve_quota(account, units=3), accounts)
        change = OpenPlanChange(
            workspace_id=account.workspace_id, change_id=new_id(), plan=Plan.FREE
        )

        with pytest.raises(Rejected) as refusal:
            await open_plan_change(change, accounts, FakeChanges(), SystemClock())

        assert refusal.value.rejection == PlanTooSmall(
            workspace_id=account.workspace_id, plan=Plan.FREE, units_used=3, releases_max=2
        )
        assert account.change_id is None

    async def test_cancelling_what_was_never_opened_is_a_private_success(self) -> None:
        account = an_account()
        accounts, changes = FakeAccounts(account), FakeChanges()
        cancel = CancelPlanChange(workspace_id=account.workspace_id, change_id=new_id())

        cancelled = await cancel_plan_change(cancel, accounts, changes)

        assert cancelled.change_id == cancel.change_id
        assert accounts.saved == 0
