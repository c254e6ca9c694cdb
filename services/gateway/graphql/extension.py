"""What surrounds every operation: its own scope, its limits, its trace id, its masked errors."""

from collections.abc import Iterator
from typing import Any, cast

from graphql import ASTValidationRule
from strawberry.extensions import SchemaExtension

from chassis.observability.tracing import trace_id
from services.gateway.graphql.masking import mask_all
from services.gateway.scope import Scope


class PerOperation(SchemaExtension):
    """Gives each operation a scope of its own: a socket's operations share nothing but the token.

    `rules` is a tuple built once, so that the validation cache finds what it validated before.
    """

    def __init__(self, rules: tuple[type[ASTValidationRule], ...], tokens_max: int) -> None:
        self.rules, self.tokens_max = rules, tokens_max

    def on_operation(self) -> Iterator[None]:
        """Before parsing: limits, and a fresh scope."""
        context = self.execution_context
        context.parse_options["max_tokens"] = self.tokens_max
        context.validation_rules = (*context.validation_rules, *self.rules)
        context.context = cast("Scope", context.context).fresh()
        yield

    def on_stream_result(self, result: Any) -> Iterator[None]:  # several unrelated result classes
        """Before a result leaves through a socket."""
        result.errors = mask_all(result.errors, trace_id())
        yield

    def get_results(self) -> dict[str, Any]:  # JSON
        """`extensions` of every response."""
        return {"traceId": trace_id()}
