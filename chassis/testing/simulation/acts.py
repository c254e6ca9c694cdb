"""Messages that only simulated worlds know: how the world starts and operates sagas."""

from typing import Any
from uuid import UUID

from pydantic import Field

from contracts.base import REGISTRY, Address, Command, Event, Message, Rejection, Reply


class SimAccepted(Reply):
    """A saga was begun, or moved."""

    saga_id: UUID


class SimOrder(Command[SimAccepted]):
    """An operator's verb on a saga; with a `version`, only while the saga is at that one."""

    saga_id: UUID
    verb: str
    step: str = ""
    fields: dict[str, Any] = Field(default_factory=dict)
    version: int | None = None


class SimSignal(Command[SimAccepted]):
    """An answer to a wait for approval."""

    saga_id: UUID
    approved: bool


class SimTouch(Command[SimAccepted]):
    """Somebody changes a thing that sagas are about, without one."""

    key_text: str
    touch_id: UUID


class SimRefused(Rejection):
    """A participant's business refusal."""

    step: str


class SimMoved(Event):
    """Where a saga stands, in public."""

    saga_id: UUID
    fact: str


def _register(contract: type[Message], aggregate: str, key: str) -> None:
    """As contracts.base does for what lives in contracts/."""
    contract.address = Address("simulation", aggregate, contract.__name__, 1, key)
    REGISTRY[contract.address.type] = contract


for _contract in (SimAccepted, SimOrder, SimSignal, SimMoved):
    _register(_contract, "saga", "saga_id")
_register(SimTouch, "thing", "key_text")
_register(SimRefused, "saga", "")

Json = dict[str, Any]  # a message's fields as JSON values
