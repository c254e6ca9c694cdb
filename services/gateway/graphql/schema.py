"""The schema, put together. Run as a module, this writes `schema.graphql`."""

import sys
from pathlib import Path

import strawberry
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

from services.gateway.graphql.entities import ALL_TYPES
from services.gateway.graphql.extension import PerOperation
from services.gateway.graphql.failures import all_failure_types
from services.gateway.graphql.limits import Limits, limit_rule
from services.gateway.graphql.mutations import (
    IdentityMutation,
    OperatorMutation,
    ReleaseMutation,
    StudioMutation,
)
from services.gateway.graphql.queries import Query
from services.gateway.graphql.shapes import read
from services.gateway.graphql.subscriptions import Subscription
from services.gateway.settings import Settings

SCHEMA_FILE = Path(__file__).with_name("schema.graphql")


@strawberry.type(description="What can be changed. Every mutation takes an idempotency key.")
class Mutation(IdentityMutation, StudioMutation, ReleaseMutation, OperatorMutation):
    """What can be changed. Every mutation takes an idempotency key."""


class Schema(strawberry.Schema):
    """Strawberry's, but silent: errors are logged where they are masked, once."""

    def process_errors(self, errors: object, execution_context: object = None) -> None:
        """Nothing here."""


def build_schema(settings: Settings) -> Schema:
    """The executable schema with its limits and caches."""
    limits = Limits(settings.query_depth_max, settings.query_aliases_max, settings.query_fields_max)
    rules = (limit_rule(limits),)
    cached = settings.document_cache_max
    return Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[*ALL_TYPES, *all_failure_types()],
        extensions=[
            lambda: PerOperation(rules, settings.query_tokens_max),
            lambda: ParserCache(maxsize=cached),
            lambda: ValidationCache(maxsize=cached),
        ],
        config=StrawberryConfig(default_resolver=read),
    )


def schema_text() -> str:
    """The schema as a document, for clients."""
    settings = Settings.model_construct()
    return build_schema(settings).as_str() + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text())
    sys.stdout.write(f"wrote {SCHEMA_FILE.name}\n")
