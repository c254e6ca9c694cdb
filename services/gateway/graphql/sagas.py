"""Sagas in the schema, for operators of the platform."""

from typing import Any
from uuid import UUID

from pydantic import ValidationError

from chassis.errors import Rejected
from contracts.orchestrator import operating
from services.gateway.errors import BadInput, Fault
from services.gateway.graphql.shapes import shape_of
from services.gateway.scope import Scope

SagaPage = shape_of(operating.SagaPage)
SagaDetails = shape_of(operating.SagaDetails)


async def list_sagas(scope: Scope, wanted: dict[str, Any]) -> SagaPage:  # type: ignore[valid-type]  # derived
    """A page of sagas. BadInput for a limit that is none."""
    try:
        query = operating.ListSagas(**wanted)
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        name = {"limit": "first", "cursor": "after"}.get(field, field)
        raise BadInput(Fault(name, error.errors()[0]["msg"])) from None
    return SagaPage.of(await scope.ask(query))


async def find_saga(scope: Scope, text: str) -> SagaDetails | None:  # type: ignore[valid-type]  # derived
    """One saga; None when there is none."""
    try:
        query = operating.GetSaga(saga_id=UUID(text))
    except ValueError:
        raise BadInput(Fault("id", "is no UUID")) from None
    try:
        return SagaDetails.of(await scope.ask(query))
    except Rejected as refusal:
        if isinstance(refusal.rejection, operating.SagaUnknown):
            return None
        raise
