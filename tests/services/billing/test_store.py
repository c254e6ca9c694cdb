"""Billing on a real Postgres: what is kept, what is announced, and races."""

import pytest

from chassis.clock import SystemClock, new_id
from chassis.errors import Rejected
from contracts.billing.account import (
    AccountUnknown,
    CloseAccount,
    GetUsage,
    OpenAccount,
    QuotaExceeded,
    QuotaReserved,
    Usage,
)
from services.billing.model.accounts import Account
from services.billing.views import get_usage
from tests.services.billing.fakes import (
    a_commit_quota,
    a_release_quota,
    a_reserve_quota,
    an_account,
    an_app_unpublished,
)
from tests.services.participant import Participant, an_envelope


async def opened(billing: Participant) -> Account:
    account = an_account()
    await billing.send(OpenAccount(workspace_id=account.workspace_id))
    return account


async def usage_of(billing: Participant, account: Account) -> Usage:
    return await get_usage(GetUsage(workspace_id=account.workspace_id), billing.database)


async def test_a_publish_moves_units_from_left_to_reserved_to_live(billing: Participant) -> None:
    account = await opened(billing)
    reserve = a_reserve_quota(account)

    await billing.send(reserve)
    held = await usage_of(billing, account)
    await billing.send(a_commit_quota(reserve))
    live = await usage_of(billing, account)

    assert (held.units_live, held.units_reserved, held.units_left) == (0, 1, 1)
    assert (live.units_live, live.units_reserved, live.units_left) == (1, 0, 1)
    assert live.live_app_ids == [reserve.app_id]


async def test_every_change_is_announced_once_and_without_gaps(billing: Participant) -> None:
    account = await opened(billing)
    reserve, undone = a_reserve_quota(account), a_reserve_quota(account)
    for command in (reserve, undone, a_release_quota(undone), a_commit_quota(reserve)):
        await billing.send(command)
        await billing.send(command)  # under another id: the minted ids make it harmless

    facts = await billing.facts()

    assert facts == [
        ("billing.AccountOpened.v1", 1),
        ("billing.EntitlementsChanged.v1", 2),
        ("billing.QuotaReserved.v1", 3),
        ("billing.QuotaReserved.v1", 4),
        ("billing.QuotaReleased.v1", 5),
        ("billing.QuotaCommitted.v1", 6),
    ]


async def test_the_same_command_id_is_answered_again(billing: Participant) -> None:
    account = await opened(billing)
    reserve, command_id = a_reserve_quota(account), new_id()

    first = await billing.send(reserve, command_id)
    again = await billing.send(reserve, command_id)

    assert again == first
    assert (await usage_of(billing, account)).units_reserved == 1


async def test_a_refusal_is_kept_and_leaves_nothing(billing: Participant) -> None:
    account = await opened(billing)
    command, command_id = a_reserve_quota(account, units=3), new_id()

    for _ in range(2):
        with pytest.raises(Rejected) as refusal:
            await billing.send(command, command_id)

    assert refusal.value.rejection == QuotaExceeded(workspace_id=account.workspace_id, units_left=2)
    assert (await usage_of(billing, account)).units_left == 2


async def test_of_many_publishes_at_once_only_as_many_as_fit_are_let_in(
    billing: Participant,
) -> None:
    account = await opened(billing)

    answers = await billing.race(*(a_reserve_quota(account) for _ in range(8)))

    assert sum(isinstance(answer, QuotaReserved) for answer in answers) == 2
    assert sum(isinstance(answer, Rejected) for answer in answers) == 6
    assert (await usage_of(billing, account)).units_left == 0


async def test_compensations_with_nothing_to_undo_answer_privately(billing: Participant) -> None:
    account = an_account()

    await billing.send(a_release_quota(a_reserve_quota(account)))
    await billing.send(CloseAccount(workspace_id=account.workspace_id))

    assert await billing.facts() == []


async def test_an_unpublished_app_gives_its_unit_back_once(billing: Participant) -> None:
    account = await opened(billing)
    reserve = a_reserve_quota(account)
    await billing.send(reserve)
    await billing.send(a_commit_quota(reserve, pointer_version=1))
    event = an_envelope(an_app_unpublished(account, reserve.app_id, 2), SystemClock())

    await billing.hear(event, event)
    await billing.hear(event)

    assert (await usage_of(billing, account)).units_left == 2
    facts = [kind for kind, _ in await billing.facts()]
    assert facts.count("billing.UnitsFreed.v1") == 1
    assert billing.letters.letters == []


async def test_usage_of_another_workspace_is_not_found(billing: Participant) -> None:
    await opened(billing)

    with pytest.raises(Rejected) as refusal:
        await usage_of(billing, an_account())

    assert isinstance(refusal.value.rejection, AccountUnknown)
