"""Expected failures as types: every Rejection contract becomes one, implementing `Failure`.

A client that knows only `Failure` reads `code` and `message`; one that selects the type reads the
refusal's own fields.
"""

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Union

import strawberry
from pydantic import ValidationError
from strawberry.scalars import JSON

from chassis.errors import ForwardRefused
from contracts.base import REGISTRY, Message, Rejection
from contracts.catalogue import CONTRACTS
from services.gateway.errors import sentence
from services.gateway.graphql.shapes import SHAPES, Fields, Shape, shape


@strawberry.interface(description="Why a request was refused, in a form that programs can read.")
class Failure:
    """What all failures share."""

    message: str = strawberry.field(description="What went wrong, for people; may change.")
    code: str = strawberry.field(description="What went wrong, for programs; does not change.")


@strawberry.type(description="Somebody else changed the same thing at the same moment: try again.")
class Conflict(Failure):
    """The store's compare-and-set lost, several times."""


@strawberry.type(description="This idempotency key was used before, with another input.")
class IdempotencyKeyReused(Failure):
    """The first input stands; the second was not carried out."""


@strawberry.type(description="A refusal that this schema does not list; `type` names its contract.")
class OtherFailure(Failure):
    """A newer service, or a rule that the mutation did not declare."""

    type: str
    fields: JSON


CONFLICT = Conflict(message="It was changed at the same moment. Try again.", code="CONFLICT")
KEY_REUSED = IdempotencyKeyReused(
    message="This idempotency key was used before, with another input.",
    code="IDEMPOTENCY_KEY_REUSED",
)
COMMON: tuple[type, ...] = (Conflict, IdempotencyKeyReused, OtherFailure)
"""What any mutation may answer besides the refusals that it declares."""


def code_of(rejection: type[Rejection]) -> str:
    """`QuotaExceeded` -> `QUOTA_EXCEEDED`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", rejection.address.name).upper()


def failure_type(rejection: type[Rejection]) -> type[Shape]:
    """The GraphQL type of a refusal, derived from its contract when first asked for."""
    if rejection not in SHAPES:
        doc = " ".join(inspect.cleandoc(rejection.__doc__ or rejection.__name__).split())
        bare = type(rejection.__name__, (Shape, Failure), {"__doc__": doc})
        bare.__module__ = __name__
        shape(rejection)(bare)
        derived = SHAPES[rejection]
        code = code_of(rejection)
        derived.readers["code"] = ("address", lambda value, known: code)
        derived.readers["message"] = ("address", lambda value, known: sentence(doc))
    return SHAPES[rejection]


def all_failure_types() -> list[type]:
    """Every refusal there is: an operation may end with any of them."""
    rejections = [c for c in CONTRACTS.values() if issubclass(c, Rejection)] + [ForwardRefused]
    return [*map(failure_type, rejections), *COMMON]


def show_failure(rejection: Rejection, known: Fields | None, declared: Iterable[type]) -> Any:
    """A refusal as one of the declared types, else as OtherFailure: strawberry instances."""
    if type(rejection) in declared:
        return failure_type(type(rejection)).of(rejection, known)
    return other_failure(rejection.address.type, rejection.model_dump(mode="json"))


def other_failure(wire_type: str, fields: Mapping[str, Any]) -> OtherFailure:
    """A refusal known only by its wire type and its JSON fields."""
    contract = REGISTRY.get(wire_type)
    known = contract is not None and issubclass(contract, Rejection)
    return OtherFailure(
        message=sentence(contract.__doc__ or "") if contract and known else "Refused.",
        code=code_of(contract) if contract and issubclass(contract, Rejection) else "REFUSED",
        type=wire_type,
        fields=JSON(dict(fields)),
    )


def failure_of(wire_type: str, fields: Mapping[str, Any], known: Fields) -> Any:
    """The failure that an operation ended with, from what its owner stored of it."""
    contract = REGISTRY.get(wire_type)
    if contract is None or not issubclass(contract, Rejection):
        return other_failure(wire_type, fields)
    try:
        rejection = contract.model_validate(fields)
    except ValidationError:
        return other_failure(wire_type, fields)
    return failure_type(contract).of(rejection, known)


def result_union(name: str, answer: type, refusals: Iterable[type[Rejection]]) -> Any:
    """`union <name> = <answer> | <refusals...> | what any mutation may answer`."""
    members = (answer, *map(failure_type, refusals), *COMMON)
    return Annotated[Union[members], strawberry.union(name)]  # noqa: UP007  # built at run time


__all__ = [
    "COMMON",
    "CONFLICT",
    "KEY_REUSED",
    "Failure",
    "Message",
    "all_failure_types",
    "failure_of",
    "failure_type",
    "result_union",
    "show_failure",
]
