"""Payments through a real provider: late, declined, lost answers; one capture each time."""

import asyncio

import asyncpg
import pytest

from chassis.clock import new_id
from contracts.billing.account import Plan, PlanChanged
from contracts.billing.ledger import LedgerKind
from contracts.billing.payment import (
    PaymentAuthorised,
    PaymentCaptured,
    PaymentDeclined,
    PaymentMethodMissing,
    PaymentVoided,
)
from contracts.billing.plan_change import PlanChangeOpened
from services.billing.payments import ProviderProtest
from tests.servers import Servers
from tests.services.billing.desk import POLL_S, WAIT_S, Change, Desk


async def opened(desk: Desk, plan: Plan = Plan.TEAM) -> tuple[Change, int]:
    """A change under way, and what it costs."""
    change = await desk.an_account()
    answer = await desk.ask(change.open(plan))
    assert isinstance(answer, PlanChangeOpened), answer
    assert answer.amount_minor > 0
    return change, answer.amount_minor


async def authorised(desk: Desk, token: str) -> tuple[Change, int]:
    change, amount = await opened(desk)
    assert isinstance(await desk.ask(change.authorise(token)), PaymentAuthorised)
    return change, amount


async def test_a_paid_change_is_one_capture_and_balanced_books(desk: Desk) -> None:
    change, amount = await authorised(desk, "tok-ok")

    captured = await desk.ask(change.capture)
    changed = await desk.ask(change.apply)

    assert isinstance(captured, PaymentCaptured)
    assert isinstance(changed, PlanChanged)
    assert (changed.plan, changed.amount_minor) == (Plan.TEAM, amount)
    assert await desk.effects(change) == ["authorised", "captured"]
    assert await desk.balances(change) == {"clearing": amount, "revenue": -amount}
    kinds = [each.kind for each in (await desk.ledger(change)).transactions]
    assert kinds == [LedgerKind.CHARGE, LedgerKind.PAYMENT]


async def test_every_command_again_changes_nothing(desk: Desk) -> None:
    change, amount = await authorised(desk, "tok-ok")
    for command in (change.capture, change.apply):
        await desk.ask(command)
        await desk.ask(command)  # under another id

    await desk.ask(change.authorise("tok-ok"))

    assert await desk.effects(change) == ["authorised", "captured"]
    assert await desk.balances(change) == {"clearing": amount, "revenue": -amount}


async def test_a_late_answer_is_waited_for_without_a_second_request(desk: Desk) -> None:
    change, _ = await opened(desk)
    asked = await desk.tell(change.authorise("tok-slow700"))
    assert await desk.answers(asked) == []

    assert isinstance(await desk.answer(asked), PaymentAuthorised)

    assert await desk.effects(change) == ["authorised"]


async def test_a_declined_payment_is_a_typed_refusal_and_no_money_moves(desk: Desk) -> None:
    change, _ = await opened(desk)

    refusal = await desk.ask(change.authorise("tok-declined"))

    assert refusal == PaymentDeclined(
        workspace_id=change.workspace_id,
        payment_id=change.payment_id,
        reason="insufficient_funds",
    )
    assert isinstance(await desk.ask(change.void), PaymentVoided)
    assert await desk.effects(change) == ["declined"]
    assert await desk.balances(change) == {}


async def test_a_declined_capture_is_a_typed_refusal(desk: Desk) -> None:
    change, _ = await authorised(desk, "tok-capturedeclined")

    refusal = await desk.ask(change.capture)

    assert isinstance(refusal, PaymentDeclined)
    assert refusal.reason == "expired_card"
    assert await desk.balances(change) == {}


@pytest.mark.parametrize("token", ["tok-lostcapture", "tok-failcapture2", "tok-lostauthorise"])
async def test_an_answer_that_is_lost_is_asked_for_and_nothing_is_charged_twice(
    desk: Desk, token: str
) -> None:
    change, amount = await authorised(desk, token)

    captured = await desk.ask(change.capture)

    assert isinstance(captured, PaymentCaptured)
    assert await desk.effects(change) == ["authorised", "captured"]
    assert await desk.balances(change) == {"clearing": amount, "customer": -amount}


async def test_something_to_pay_needs_a_means_of_payment(desk: Desk) -> None:
    change, amount = await opened(desk)

    refusal = await desk.ask(change.authorise(""))

    assert isinstance(refusal, PaymentMethodMissing)
    assert refusal.amount_minor == amount
    assert await desk.effects(change) == []


async def test_a_void_that_overtakes_the_providers_answer_frees_the_money(desk: Desk) -> None:
    change, _ = await opened(desk)
    asked = await desk.tell(change.authorise("tok-slow700"))

    voided = await desk.ask(change.void)

    assert isinstance(voided, PaymentVoided)
    assert isinstance(await desk.answer(asked), PaymentDeclined)
    assert (await desk.effects(change))[-1] == "voided"


async def test_a_captured_payment_that_is_undone_is_given_back(desk: Desk) -> None:
    change, _ = await authorised(desk, "tok-ok")
    await desk.ask(change.capture)

    assert isinstance(await desk.ask(change.void), PaymentVoided)

    assert await desk.effects(change) == ["authorised", "captured", "refunded"]
    assert await desk.balances(change) == {}
    kinds = {each.kind for each in (await desk.ledger(change)).transactions}
    assert kinds == {LedgerKind.PAYMENT, LedgerKind.REFUND}


async def test_voiding_what_never_was_is_a_success_that_asks_nobody(desk: Desk) -> None:
    change = Change(new_id())

    assert isinstance(await desk.ask(change.void), PaymentVoided)

    assert await desk.effects(change) == []


async def test_a_provider_that_is_down_holds_up_nobody_else(desk: Desk) -> None:
    change, _ = await opened(desk)
    await desk.down(True)
    try:
        asked = await desk.tell(change.authorise("tok-ok"))
        other = await desk.an_account()  # the same partition, another workspace
        assert isinstance(await desk.ask(other.open(Plan.TEAM)), PlanChangeOpened)
        assert await desk.answers(asked) == []
    finally:
        await desk.down(False)

    assert isinstance(await desk.answer(asked), PaymentAuthorised)


async def test_a_provider_that_is_killed_forgets_nothing(desk: Desk, servers: Servers) -> None:
    """It dies right after the capture, with its answer; it comes back and is asked."""
    change, amount = await authorised(desk, "tok-slow400")
    asked = await desk.tell(change.capture)
    async with asyncio.timeout(WAIT_S):
        while "captured" not in await desk.effects(change):
            await desk.clock.sleep(POLL_S)

    servers.kill9("payments")
    servers.restart("payments")

    assert isinstance(await desk.answer(asked), PaymentCaptured)
    assert await desk.effects(change) == ["authorised", "captured"]
    assert await desk.balances(change) == {"clearing": amount, "customer": -amount}


async def test_a_payment_is_captured_once_however_many_workers_there_are(desk: Desk) -> None:
    changes = [(await authorised(desk, "tok-slow50"))[0] for _ in range(4)]
    others = [asyncio.create_task(desk.work()) for _ in range(3)]

    captured = await asyncio.gather(*(desk.ask(change.capture) for change in changes))

    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    assert all(isinstance(each, PaymentCaptured) for each in captured)
    for change in changes:
        assert await desk.effects(change) == ["authorised", "captured"]


async def test_the_provider_refuses_another_input_under_a_known_key(desk: Desk) -> None:
    key = new_id()
    first = await desk.provider.authorise(key, 100, "EUR", "tok-ok")

    again = await desk.provider.authorise(key, 100, "EUR", "tok-ok")

    assert again == first
    with pytest.raises(ProviderProtest, match="409"):
        await desk.provider.authorise(key, 200, "EUR", "tok-ok")


LOPSIDED = """
WITH t AS (INSERT INTO billing_transaction
    (transaction_id, workspace_id, kind, entries, at) VALUES ($1, $1, 'charge', 2, now()))
INSERT INTO billing_entry VALUES ($1, 1, $1, 'customer', 'EUR', 5), ($1, 2, $1, 'revenue', $2, $3)
"""


class TestTheDatabase:
    @pytest.mark.parametrize(("currency", "amount"), [("EUR", -4), ("USD", -5)])
    async def test_refuses_a_transaction_that_does_not_balance(
        self, desk: Desk, currency: str, amount: int
    ) -> None:
        with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
            await desk.billing.database.execute(LOPSIDED, new_id(), currency, amount)

    async def test_takes_one_that_does(self, desk: Desk) -> None:
        await desk.billing.database.execute(LOPSIDED, new_id(), "EUR", -5)

        entries = await desk.billing.database.fetchval("SELECT count(*) FROM billing_entry")
        assert entries == 2

    async def test_refuses_entries_that_come_later(self, desk: Desk) -> None:
        database, one = desk.billing.database, new_id()
        await database.execute(LOPSIDED, one, "EUR", -5)

        with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
            await database.execute(
                "INSERT INTO billing_entry VALUES ($1, 3, $1, 'customer', 'EUR', 7),"
                " ($1, 4, $1, 'revenue', 'EUR', -7)",
                one,
            )

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE billing_entry SET amount_minor = 1",
            "DELETE FROM billing_entry",
            "DELETE FROM billing_transaction",
            "TRUNCATE billing_entry",
        ],
    )
    async def test_lets_nobody_change_what_is_written(self, desk: Desk, change: str) -> None:
        await desk.billing.database.execute(LOPSIDED, new_id(), "EUR", -5)

        with pytest.raises(asyncpg.RestrictViolationError, match="appended to"):
            await desk.billing.database.execute(change)
