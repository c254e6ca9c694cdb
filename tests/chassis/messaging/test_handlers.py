"""What a service's handlers may look like, checked when it starts."""

from typing import Protocol

import pytest

from chassis.clock import Clock, SystemClock
from chassis.context import Context
from chassis.messaging.envelope import Fact
from chassis.messaging.handlers import FROM_MESSAGE, Given, Handlers
from contracts.billing.account import AccountOpened, EntitlementsChanged, OpenAccount, Usage
from tests.chassis.messaging.quota import SqlAccounts


class Accounts(Protocol):
    """What a handler asks for instead of the store."""


class Mailer:
    """Something that exists once."""


async def open_account(
    command: OpenAccount, accounts: Accounts, mailer: Mailer, clock: Clock, context: Context
) -> AccountOpened:
    raise NotImplementedError


async def note_entitlements(event: EntitlementsChanged, accounts: Accounts) -> None:
    raise NotImplementedError


async def record(fact: Fact) -> None:
    raise NotImplementedError


async def answer(query: Usage) -> None:
    raise NotImplementedError


async def nothing() -> None:
    raise NotImplementedError


def bound(*handlers: object) -> Handlers:
    given = {Mailer: Mailer(), Clock: SystemClock()}
    return Handlers(handlers, provides={Accounts: SqlAccounts}, given=given)  # type: ignore[arg-type]


def test_parameters_are_found_by_their_types() -> None:
    binding = bound(open_account).of("billing.OpenAccount.v1")

    assert binding is not None
    store, mailer, clock, context = binding.sources
    assert store is SqlAccounts
    assert isinstance(mailer, Given)
    assert isinstance(mailer.value, Mailer)
    assert isinstance(clock, Given)
    assert context is FROM_MESSAGE
    assert binding.stores == (SqlAccounts,)


def test_the_topics_follow_from_the_events() -> None:
    handlers = bound(open_account, note_entitlements)

    assert handlers.topics == {"billing.account.v1"}
    assert [binding.name for binding in handlers.commands] == ["open_account"]


def test_a_tap_takes_what_nobody_else_does() -> None:
    handlers = bound(open_account, record)

    tap, own = handlers.of("anything.Else.v1"), handlers.of("billing.OpenAccount.v1")
    assert tap is not None
    assert own is not None
    assert (tap.name, own.name) == ("record", "open_account")


@pytest.mark.parametrize(
    ("handlers", "complaint"),
    [
        ((answer,), "answer: the first parameter must be a command or event"),
        ((nothing,), "nothing: the first parameter must be a command or event"),
        ((record, record), "record already takes every event"),
    ],
)
def test_a_handler_that_cannot_be_called_stops_the_start(
    handlers: tuple[object, ...], complaint: str
) -> None:
    with pytest.raises(TypeError, match=complaint):
        bound(*handlers)


def test_a_parameter_that_nothing_provides_is_named() -> None:
    with pytest.raises(TypeError, match=r"open_account: nothing provides mailer"):
        Handlers((open_account,), provides={Accounts: SqlAccounts}, given={})


def test_two_handlers_of_one_message_are_one_too_many() -> None:
    async def open_again(command: OpenAccount) -> AccountOpened:
        raise NotImplementedError

    with pytest.raises(TypeError, match="open_account already takes OpenAccount"):
        bound(open_account, open_again)
