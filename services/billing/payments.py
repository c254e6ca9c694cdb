"""The payment provider's port, and the adapter that speaks to one over HTTP.

Every call names the payment by its own id, the idempotency key: the same key and verb have one
effect, however often they are sent. Call it from a worker, never inside a transaction.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from chassis.outside import OutsideClient
from chassis.resources import Resources
from chassis.wiring import Wiring

NAME = "payments"
_OK, _NOT_FOUND = 200, 404


class ProviderState(StrEnum):
    """Where a payment stands at the provider."""

    AUTHORISED = "authorised"
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class ProviderPayment:
    """A payment as the provider knows it. Amounts in minor units; `reason` of a refusal."""

    key: UUID
    state: ProviderState
    amount_minor: int
    currency: str
    reason: str = ""


class ProviderProtest(Exception):
    """The provider says that the request makes no sense: a bug, not an outage."""


class PaymentProvider(Protocol):
    """Whoever moves the money. All raise Unavailable when nothing was done, Unanswered when that
    is not known (then ask `find`), ProviderProtest for a bug. A refusal is a state, no error."""

    async def find(self, key: UUID) -> ProviderPayment | None:
        """What became of a payment; None: the provider never heard of it."""
        ...

    async def authorise(
        self, key: UUID, amount_minor: int, currency: str, token: str
    ) -> ProviderPayment:
        """Set money aside."""
        ...

    async def capture(self, key: UUID) -> ProviderPayment:
        """Take what is set aside."""
        ...

    async def void(self, key: UUID) -> ProviderPayment:
        """Free what is set aside. What comes under this key afterwards is refused, also when
        nothing came before."""
        ...

    async def refund(self, key: UUID) -> ProviderPayment:
        """Give back what was taken."""
        ...


class HttpPayments:
    """A provider at `PAYMENTS_URL`: `POST /payments/<verb>` with the key in the body and in the
    header `idempotency-key`."""

    def __init__(self, client: OutsideClient) -> None:
        self._client = client

    @classmethod
    async def create(cls, resources: Resources) -> "HttpPayments":
        client = resources.opened[NAME] = OutsideClient.of(resources, NAME)
        return cls(client)

    async def find(self, key: UUID) -> ProviderPayment | None:
        status, answer = await self._client.post("/payments/find", {"key": str(key)})
        return None if status == _NOT_FOUND else _read(status, answer)

    async def authorise(
        self, key: UUID, amount_minor: int, currency: str, token: str
    ) -> ProviderPayment:
        wanted = {"amount_minor": amount_minor, "currency": currency, "token": token}
        return await self._do("authorise", key, wanted)

    async def capture(self, key: UUID) -> ProviderPayment:
        return await self._do("capture", key, {})

    async def void(self, key: UUID) -> ProviderPayment:
        return await self._do("void", key, {})

    async def refund(self, key: UUID) -> ProviderPayment:
        return await self._do("refund", key, {})

    async def _do(self, verb: str, key: UUID, wanted: dict[str, Any]) -> ProviderPayment:  # JSON
        headers = {"idempotency-key": f"{verb}:{key}"}
        status, answer = await self._client.post(
            f"/payments/{verb}", {"key": str(key), **wanted}, headers
        )
        return _read(status, answer)


def close_payments(wiring: Wiring) -> None:
    """The connections to the provider end with the service."""
    client: OutsideClient = wiring.resources.opened[NAME]
    wiring.close(client.close)


def _read(status: int, answer: dict[str, Any]) -> ProviderPayment:  # JSON
    if status != _OK:
        raise ProviderProtest(f"{status} {answer.get('error', '')}")
    try:
        return ProviderPayment(
            key=UUID(answer["key"]),
            state=ProviderState(answer["state"]),
            amount_minor=int(answer["amount_minor"]),
            currency=str(answer["currency"]),
            reason=str(answer["reason"]),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise ProviderProtest(f"an answer that makes no sense: {type(error).__name__}") from error
