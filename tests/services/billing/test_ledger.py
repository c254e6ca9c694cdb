"""What a change of plan costs, and that the books balance whatever is changed, and when."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.clock import new_id
from chassis.errors import Rejected
from contracts.billing.account import Plan
from contracts.billing.ledger import LedgerAccount, LedgerKind
from contracts.billing.plan_change import PlanChangeUnderWay
from services.billing.model.accounts import Account
from services.billing.model.changes import PlanChange
from services.billing.model.ledger import Entry, Transaction
from services.billing.model.payments import Payment, PaymentState
from services.billing.model.plans import CURRENCY, PLANS, month_of, prorated
from tests.services.billing.fakes import an_account

NOON = datetime(2026, 6, 16, tzinfo=UTC)
"""The middle of a month of thirty days."""

MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


class TestProration:
    def test_half_a_month_is_half_the_price(self) -> None:
        assert prorated(4_900, NOON) == 2_450

    def test_december_ends_with_the_year(self) -> None:
        begin, end = month_of(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC))

        assert (begin.month, end) == (12, datetime(2027, 1, 1, tzinfo=UTC))

    @given(MOMENTS, st.integers(0, 10_000_000))
    def test_it_is_between_nothing_and_the_price_and_never_grows(
        self, now: datetime, price: int
    ) -> None:
        later = min(now + timedelta(hours=1), month_of(now)[1] - timedelta(seconds=1))

        assert 0 <= prorated(price, max(now, later)) <= prorated(price, now) <= price

    @given(MOMENTS)
    def test_a_whole_month_costs_the_price(self, now: datetime) -> None:
        assert prorated(4_900, month_of(now)[0]) == 4_900


def changed(account: Account, plan: Plan, now: datetime) -> tuple[PlanChange, list[Transaction]]:
    """A whole change, paid and applied; what the ledger says of it."""
    change = PlanChange.opened(new_id(), account, plan, now)
    account.begin_change(change.change_id, plan)
    payment = Payment.begun(new_id(), change, "tok-ok")
    payment.state = PaymentState.CAPTURED
    change.apply()
    account.end_change(change.change_id)
    account.take_credit(change.currency, change.credit_minor)
    if change.plan != change.previous_plan:
        account.subscribe(change.plan, change.paid_until)
    return change, [*payment.transactions(now), *change.transactions(now)]


def held(transactions: list[Transaction], account: LedgerAccount) -> int:
    entries = [entry for each in transactions for entry in each.entries]
    return sum(entry.amount_minor for entry in entries if entry.account == account)


class TestChanges:
    def test_an_upgrade_is_paid_for_the_rest_of_the_month(self) -> None:
        change, booked = changed(an_account(), Plan.TEAM, NOON)

        assert (change.amount_minor, change.credit_minor) == (2_450, 0)
        assert [each.kind for each in booked] == [LedgerKind.PAYMENT, LedgerKind.CHARGE]

    def test_a_downgrade_is_kept_as_credit_and_used_by_the_next_upgrade(self) -> None:
        account = an_account()
        changed(account, Plan.BUSINESS, NOON)

        down, _ = changed(account, Plan.TEAM, NOON)
        up, booked = changed(account, Plan.BUSINESS, NOON)

        assert (down.amount_minor, down.credit_minor) == (0, -22_500)
        assert (up.amount_minor, up.credit_minor) == (0, 22_500)
        assert account.credit == {CURRENCY: 0}
        assert LedgerKind.PAYMENT not in [each.kind for each in booked]

    def test_a_month_that_was_not_paid_for_gives_nothing_back(self) -> None:
        account = an_account()
        changed(account, Plan.BUSINESS, NOON)

        change, _ = changed(account, Plan.FREE, NOON + timedelta(days=30))

        assert (change.unused_minor, change.credit_minor) == (0, 0)

    def test_the_same_plan_costs_nothing(self) -> None:
        change, booked = changed(an_account(Plan.TEAM), Plan.TEAM, NOON)

        assert change.amount_minor == 0
        assert booked == []

    def test_two_changes_at_a_time_are_one_too_many(self) -> None:
        account, first = an_account(), new_id()
        account.begin_change(first, Plan.TEAM)

        with pytest.raises(Rejected) as refusal:
            account.begin_change(new_id(), Plan.BUSINESS)

        assert refusal.value.rejection == PlanChangeUnderWay(
            workspace_id=account.workspace_id, change_id=first
        )

    @given(
        st.lists(st.tuples(st.sampled_from(list(PLANS)), st.integers(0, 40 * 86_400)), max_size=12)
    )
    def test_the_books_balance_and_nobody_owes_anything_after_any_changes(
        self, steps: list[tuple[Plan, int]]
    ) -> None:
        account, now, booked, paid = an_account(), NOON, [], 0
        for plan, seconds in steps:
            now += timedelta(seconds=seconds)
            change, new = changed(account, plan, now)
            booked += new
            paid += change.amount_minor

        assert held(booked, LedgerAccount.CUSTOMER) == 0
        assert held(booked, LedgerAccount.CREDIT) == -account.credit.get(CURRENCY, 0)
        assert held(booked, LedgerAccount.CLEARING) == paid
        assert sum(held(booked, each) for each in LedgerAccount) == 0


class TestTransaction:
    @pytest.mark.parametrize("amounts", [(5, -4), (5,), (0, 0), (5, -5, 0)])
    def test_what_does_not_balance_is_a_bug(self, amounts: tuple[int, ...]) -> None:
        entries = tuple(Entry(LedgerAccount.REVENUE, "EUR", amount) for amount in amounts)

        with pytest.raises(AssertionError):
            Transaction(new_id(), new_id(), LedgerKind.CHARGE, NOON, entries)

    def test_each_currency_balances_on_its_own(self) -> None:
        entries = (Entry(LedgerAccount.REVENUE, "EUR", 5), Entry(LedgerAccount.REVENUE, "USD", -5))

        with pytest.raises(AssertionError):
            Transaction(new_id(), new_id(), LedgerKind.CHARGE, NOON, entries)
