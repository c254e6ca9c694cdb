"""Billing's handlers, in memory."""

import pytest

from chassis.clock import new_id
from chassis.errors import Rejected
from contracts.billing.account import (
    AccountIsClosed,
    AccountUnknown,
    ChangePlan,
    CloseAccount,
    OpenAccount,
    Plan,
    PlanHasPrice,
    QuotaExceeded,
    UnitsFreed,
)
from contracts.delivery.environment import Environment
from services.billing.handlers.accounts import (
    change_plan,
    close_account,
    commit_quota,
    free_units,
    open_account,
    release_quota,
    reserve_quota,
)
from tests.services.billing.fakes import (
    FakeAccounts,
    a_commit_quota,
    a_release_quota,
    a_reserve_quota,
    an_account,
    an_app_unpublished,
)


class TestOpenAccount:
    async def test_opens_on_the_free_plan_and_announces_its_limits(self) -> None:
        accounts = FakeAccounts()

        opened, entitlements = await open_account(OpenAccount(workspace_id=new_id()), accounts)

        assert opened.plan == Plan.FREE
        assert (entitlements.apps_max, entitlements.releases_max) == (5, 2)
        assert accounts.saved == 1

    async def test_repeated_changes_nothing(self) -> None:
        accounts = FakeAccounts()
        command = OpenAccount(workspace_id=new_id())
        first = await open_account(command, accounts)

        again = await open_account(command, accounts)

        assert again == first
        assert accounts.saved == 1

    async def test_does_not_open_a_closed_account_again(self) -> None:
        account = an_account()
        account.close()

        with pytest.raises(Rejected) as refusal:
            await open_account(
                OpenAccount(workspace_id=account.workspace_id), FakeAccounts(account)
            )

        assert refusal.value.rejection == AccountIsClosed(workspace_id=account.workspace_id)


class TestCloseAccount:
    async def test_closing_what_was_never_opened_is_a_private_success(self) -> None:
        accounts = FakeAccounts()
        command = CloseAccount(workspace_id=new_id())

        closed = await close_account(command, accounts)

        assert closed.workspace_id == command.workspace_id
        assert accounts.saved == 0

    async def test_a_closed_account_reserves_nothing(self) -> None:
        account = an_account()
        accounts = FakeAccounts(account)
        await close_account(CloseAccount(workspace_id=account.workspace_id), accounts)

        with pytest.raises(Rejected) as refusal:
            await reserve_quota(a_reserve_quota(account), accounts)

        assert refusal.value.rejection == AccountUnknown(workspace_id=account.workspace_id)


class TestReserveQuota:
    async def test_rejects_more_than_is_left_and_holds_nothing(self) -> None:
        account = an_account()
        accounts = FakeAccounts(account)
        await reserve_quota(a_reserve_quota(account), accounts)

        with pytest.raises(Rejected) as refusal:
            await reserve_quota(a_reserve_quota(account, units=2), accounts)

        assert refusal.value.rejection == QuotaExceeded(
            workspace_id=account.workspace_id, units_left=1
        )
        assert account.units_used == 1

    async def test_repeated_holds_once(self) -> None:
        account = an_account()
        accounts = FakeAccounts(account)
        command = a_reserve_quota(account)
        first = await reserve_quota(command, accounts)

        again = await reserve_quota(command, accounts)

        assert again == first
        assert (account.units_used, accounts.saved) == (1, 1)

    async def test_an_app_that_is_live_costs_nothing_more(self) -> None:
        account = an_account()
        accounts = FakeAccounts(account)
        live, other = a_reserve_quota(account), a_reserve_quota(account)
        for command in (live, other):
            await reserve_quota(command, accounts)
            await commit_quota(a_commit_quota(command), accounts)

        await reserve_quota(a_reserve_quota(account, app_id=live.app_id), accounts)

        assert (account.units_left, account.units_used) == (0, 2)

    async def test_needs_an_account(self) -> None:
        stranger = an_account()

        with pytest.raises(Rejected) as refusal:
            await reserve_quota(a_reserve_quota(stranger), FakeAccounts())

        assert refusal.value.rejection == AccountUnknown(workspace_id=stranger.workspace_id)


class TestReleaseQuota:
    async def test_gives_back_what_was_held(self) -> None:
        account = an_account()
        accounts = FakeAccounts(account)
        reserve = a_reserve_quota(account, units=2)
        await reserve_quota(reserve, accounts)

        await release_quota(a_release_quota(reserve), accounts)

        assert account.units_left == 2

    async def test_with_nothing_to_undo_it_answers_and_saves_nothing(self) -> None:
        account = an_account()
        accounts = FakeAccounts(account)
        reserve = a_reserve_quota(account)

        released = await release_quota(a_release_quota(reserve), accounts)

        assert released.reservation_id == reserve.reservation_id
        assert accounts.saved == 0


class TestCommitQuota:
    async def test_turns_a_reservation_into_consumption_once(self) -> None:
        account = an_account()
        accounts = FakeAccounts(account)
        reserve = a_reserve_quota(account)
        await reserve_quota(reserve, accounts)
        first = await commit_quota(a_commit_quota(reserve), accounts)
        saved = accounts.saved

        again = await commit_quota(a_commit_quota(reserve), accounts)

        assert again == first
        assert (account.units_live, account.reservations) == (1, {})
        assert accounts.saved == saved

    async def test_counts_the_app_even_when_its_reservation_is_gone(self) -> None:
        account = an_account()

        await commit_quota(a_commit_quota(a_reserve_quota(account)), FakeAccounts(account))

        assert account.units_live == 1

    async def test_that_comes_after_the_unpublishing_does_not_count_the_app(self) -> None:
        account = an_account()
        accounts = FakeAccounts(account)
        reserve = a_reserve_quota(account)
        await reserve_quota(reserve, accounts)
        await free_units(an_app_unpublished(account, reserve.app_id, 2), accounts)

        await commit_quota(a_commit_quota(reserve, pointer_version=1), accounts)

        assert account.units_used == 0


class TestFreeUnits:
    async def test_an_app_that_is_live_nowhere_costs_nothing(self) -> None:
        account = an_account()
        accounts = FakeAccounts(account)
        reserve = a_reserve_quota(account)
        await commit_quota(a_commit_quota(reserve), accounts)

        freed = await free_units(an_app_unpublished(account, reserve.app_id, 2), accounts)

        assert freed == UnitsFreed(
            workspace_id=account.workspace_id, app_id=reserve.app_id, units=1
        )
        assert account.live_app_ids == []

    async def test_an_app_that_is_live_elsewhere_still_costs(self) -> None:
        account = an_account()
        accounts = FakeAccounts(account)
        reserve = a_reserve_quota(account)
        await commit_quota(a_commit_quota(reserve), accounts)
        event = an_app_unpublished(account, reserve.app_id, 2, (Environment.PRODUCTION,))

        freed = await free_units(event, accounts)

        assert freed is None
        assert account.units_live == 1

    async def test_old_news_does_not_free_an_app_that_went_live_again(self) -> None:
        account = an_account()
        accounts = FakeAccounts(account)
        reserve = a_reserve_quota(account)
        await commit_quota(a_commit_quota(reserve, pointer_version=3), accounts)

        freed = await free_units(an_app_unpublished(account, reserve.app_id, 2), accounts)

        assert freed is None
        assert account.units_live == 1


class TestChangePlan:
    async def test_nobody_gets_another_plan_without_paying(self) -> None:
        account = an_account()
        accounts = FakeAccounts(account)

        with pytest.raises(Rejected) as refusal:
            await change_plan(
                ChangePlan(workspace_id=account.workspace_id, plan=Plan.TEAM), accounts
            )

        assert refusal.value.rejection == PlanHasPrice(
            workspace_id=account.workspace_id, plan=Plan.TEAM
        )
        assert (account.plan, accounts.saved) == (Plan.FREE, 0)

    async def test_the_same_plan_again_is_saved_by_nobody(self) -> None:
        account = an_account()
        accounts = FakeAccounts(account)

        await change_plan(ChangePlan(workspace_id=account.workspace_id, plan=Plan.FREE), accounts)

        assert accounts.saved == 0
