"""The schema file, and that nothing a client may send was forgotten."""

from graphql import (
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    build_schema,
)

from contracts.base import Command
from contracts.catalogue import CONTRACTS
from services.gateway.graphql.mutation import EXPOSED
from services.gateway.graphql.queries import FINDERS
from services.gateway.graphql.schema import SCHEMA_FILE, schema_text

SCHEMA = build_schema(schema_text())


def mutations() -> dict[str, tuple[GraphQLInputObjectType, GraphQLUnionType]]:
    """Input and outcome of each mutation."""
    found = {}
    assert SCHEMA.mutation_type is not None
    for name, field in SCHEMA.mutation_type.fields.items():
        given, outcome = field.args["input"].type, field.type
        assert isinstance(given, GraphQLNonNull), name
        assert isinstance(outcome, GraphQLNonNull), name
        found[name] = (given.of_type, outcome.of_type)
    return found


def test_the_committed_schema_is_current() -> None:
    assert SCHEMA_FILE.read_text() == schema_text(), (
        "run: python -m services.gateway.graphql.schema"
    )


def test_every_mutation_takes_an_idempotency_key_and_answers_a_union() -> None:
    for name, (given, outcome) in mutations().items():
        assert "idempotencyKey" in given.fields, name
        assert isinstance(outcome, GraphQLUnionType), name
        answer, *failures = outcome.types
        interfaces = [{i.name for i in failure.interfaces} for failure in failures]
        assert all("Failure" in names for names in interfaces), name
        assert "Failure" not in {i.name for i in answer.interfaces}, name


def test_every_command_with_a_permission_is_a_mutation() -> None:
    commands = {c for c in CONTRACTS.values() if issubclass(c, Command) and c.permission}

    missing = {c.__name__ for c in commands - EXPOSED}

    assert missing == set()


def test_every_type_and_mutation_is_described() -> None:
    named = [t for name, t in SCHEMA.type_map.items() if not name.startswith("__")]
    objects = [t for t in named if isinstance(t, GraphQLObjectType)]

    silent = [t.name for t in objects if not t.description and "Connection" not in t.name]

    assert [name for name in silent if not name.endswith("Edge")] == []


def test_whatever_claims_to_be_a_node_can_be_found_again() -> None:
    objects = [t for t in SCHEMA.type_map.values() if isinstance(t, GraphQLObjectType)]
    nodes = [t for t in objects if "Node" in {i.name for i in t.interfaces}]

    kinds = {"Entity" if "Entity" in {i.name for i in t.interfaces} else t.name for t in nodes}

    assert kinds == set(FINDERS)


def test_no_input_asks_for_what_the_token_says() -> None:
    for name, (given, _) in mutations().items():
        assert not {"ownerId", "sessionId", "operationId"} & set(given.fields) or name in (
            "revokeSession",
            "cancelOperation",
            "decideApproval",
        ), name
