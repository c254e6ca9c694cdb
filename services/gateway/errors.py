"""What a client may learn about an error: a code, and for its own mistakes the field and the rule.

Everything that is not listed here is a bug: logged with its trace id, shown as INTERNAL.
"""

from dataclasses import asdict, dataclass
from typing import Any

from pydantic.alias_generators import to_camel

from chassis.errors import Conflict, InvalidMessage, NotAllowed, Rejected, Unavailable

UNAUTHENTICATED = "UNAUTHENTICATED"
FORBIDDEN = "FORBIDDEN"
BAD_INPUT = "BAD_INPUT"
REFUSED = "REFUSED"
CONFLICT = "CONFLICT"
UNAVAILABLE = "UNAVAILABLE"
DEGRADED = "DEGRADED"
INTERNAL = "INTERNAL"

Json = dict[str, Any]  # what JSON can say


@dataclass(frozen=True, slots=True)
class Fault:
    """A field of the client's input and the rule that it breaks."""

    field: str
    rule: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An error as a client sees it. `extensions` has the code and what belongs to it."""

    message: str
    extensions: Json

    @property
    def code(self) -> str:
        """One of this module's codes."""
        return str(self.extensions["code"])


class Unauthenticated(Exception):
    """No token, or one that is unknown, expired or revoked."""


class Forbidden(Exception):
    """The caller may not do this here; a place that does not exist looks the same."""


class BadInput(Exception):
    """The client's mistake: fields and rules."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{fault.field}: {fault.rule}" for fault in faults))


class Degraded(Exception):
    """A part that the rest can do without is unavailable: its field is null."""


def shown(error: BaseException, trace_id: str) -> Shown:
    """The one place that decides what a client sees of an exception."""
    if isinstance(error, Unauthenticated):
        return Shown("Log in first: no valid token came with this.", {"code": UNAUTHENTICATED})
    if isinstance(error, Forbidden | NotAllowed):
        return Shown("You may not do this here.", {"code": FORBIDDEN})
    if isinstance(error, BadInput):
        return bad_input(*error.faults)
    if isinstance(error, InvalidMessage):
        return bad_input(*(Fault(_camel(e.field), e.message or e.rule) for e in error.errors))
    if isinstance(error, Rejected):
        address = type(error.rejection).address
        fields = error.rejection.model_dump(mode="json")
        refusal = {"type": address.type, "fields": fields}
        return Shown(sentence(error.rejection.__doc__ or ""), {"code": REFUSED, "refusal": refusal})
    if isinstance(error, Degraded):
        return Shown(f"{error} is unavailable at the moment.", {"code": DEGRADED})
    if isinstance(error, Unavailable):
        wait = {} if error.retry_after is None else {"retryAfterSeconds": error.retry_after}
        return Shown("Unavailable at the moment. Try again.", {"code": UNAVAILABLE, **wait})
    if isinstance(error, Conflict):
        return Shown("It was changed at the same moment. Try again.", {"code": CONFLICT})
    return Shown("An error of ours.", {"code": INTERNAL, "traceId": trace_id})


def bad_input(*faults: Fault) -> Shown:
    """The client's mistakes; the first one also stands alone, for clients that want just one."""
    errors = [asdict(fault) for fault in faults]
    text = "; ".join(f"{fault.field}: {fault.rule}" for fault in faults)
    return Shown(text, {"code": BAD_INPUT, **(errors[0] if errors else {}), "errors": errors})


def _camel(path: str) -> str:
    return ".".join(to_camel(part) for part in path.split("."))


def sentence(doc: str) -> str:
    """The first sentence of a docstring: what is for people; the rest is for developers."""
    text = " ".join(doc.split()) or "Refused."
    first, dot, _ = text.partition(". ")
    return first + "." if dot else text
