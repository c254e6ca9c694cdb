"""Sagas and dead letters in the schema, for operators of the platform."""

from typing import Any, TypeVar
from uuid import UUID

from pydantic import ValidationError

from chassis.errors import Rejected
from contracts import deadletter
from contracts.base import Query
from contracts.orchestrator import operating
from services.gateway.errors import BadInput, Fault
from services.gateway.graphql.shapes import shape_of
from services.gateway.scope import Scope

Q = TypeVar("Q", bound=Query[Any])  # of any answer

SagaPage = shape_of(operating.SagaPage)
SagaDetails = shape_of(operating.SagaDetails)


DeadLetterPage = shape_of(deadletter.DeadLetterPage)
DeadLetterDetails = shape_of(deadletter.DeadLetterDetails)


async def list_letters(scope: Scope, service: str, wanted: dict[str, Any]) -> DeadLetterPage:  # type: ignore[valid-type]  # derived
    """A page of a service's dead letters. BadInput for a limit that is none."""
    query = _built(deadletter.ListDeadLetters, wanted)
    return DeadLetterPage.of(await scope.ask(query, owner=service))


async def find_letter(scope: Scope, service: str, text: str) -> DeadLetterDetails | None:  # type: ignore[valid-type]  # derived
    """One letter with its bytes; None when there is none."""
    query = deadletter.GetDeadLetter(letter_id=_uuid(text))
    try:
        return DeadLetterDetails.of(await scope.ask(query, owner=service))
    except Rejected as refusal:
        if isinstance(refusal.rejection, deadletter.DeadLetterUnknown):
            return None
        raise


async def list_sagas(scope: Scope, wanted: dict[str, Any]) -> SagaPage:  # type: ignore[valid-type]  # derived
    """A page of sagas. BadInput for a limit that is none."""
    return SagaPage.of(await scope.ask(_built(operating.ListSagas, wanted)))


async def find_saga(scope: Scope, text: str) -> SagaDetails | None:  # type: ignore[valid-type]  # derived
    """One saga; None when there is none."""
    query = operating.GetSaga(saga_id=_uuid(text))
    try:
        return SagaDetails.of(await scope.ask(query))
    except Rejected as refusal:
        if isinstance(refusal.rejection, operating.SagaUnknown):
            return None
        raise


def _built(contract: type[Q], wanted: dict[str, Any]) -> Q:
    """A question from arguments; BadInput by the argument's name."""
    try:
        return contract(**wanted)
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        name = {"limit": "first", "cursor": "after"}.get(field, field)
        raise BadInput(Fault(name, error.errors()[0]["msg"])) from None


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadInput(Fault("id", "is no UUID")) from None
