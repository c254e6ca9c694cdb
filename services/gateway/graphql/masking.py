"""Errors on their way out: each becomes a code that is promised, or INTERNAL with a trace id."""

from collections.abc import Iterable

import structlog
from graphql import GraphQLError

from services.gateway.errors import INTERNAL, Fault, Shown, bad_input, shown

log = structlog.get_logger()


def mask(error: GraphQLError, trace_id: str) -> GraphQLError:
    """The error that a client may see. Bugs are logged here, with their stack."""
    if "code" in (error.extensions or {}):
        return error  # already masked
    seen = _shown(error, trace_id)
    if seen.code == INTERNAL:
        log.error("graphql_bug", path=error.path, exc_info=error.original_error or error)
    return GraphQLError(
        seen.message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=seen.extensions,
    )


def mask_all(errors: Iterable[GraphQLError] | None, trace_id: str) -> list[GraphQLError] | None:
    """All errors of a result; None stays None."""
    return [mask(error, trace_id) for error in errors] if errors else None


def _shown(error: GraphQLError, trace_id: str) -> Shown:
    origin: BaseException | None = error.original_error
    while isinstance(origin, GraphQLError) and origin.original_error is not None:
        origin = origin.original_error
    if origin is None or isinstance(origin, GraphQLError):
        return bad_input(Fault(_place(error), error.message))  # parsing, validation, variables
    if isinstance(origin, RecursionError) and error.path is None:
        return bad_input(Fault("query", "is nested too deeply"))
    return shown(origin, trace_id)


def _place(error: GraphQLError) -> str:
    return ".".join(map(str, error.path)) if error.path else "query"
