"""The ledger in GraphQL: for owners, a page at a time."""

from uuid import UUID

from contracts.base import Message
from contracts.billing.ledger import (
    LedgerAccount,
    LedgerBalance,
    LedgerEntry,
    LedgerKind,
    LedgerPage,
    LedgerTransaction,
    ListLedger,
)
from contracts.identity.workspace import ListWorkspaces, Workspaces
from tests.services.gateway.fakes import (
    NOW,
    OWNER,
    WORKSPACE,
    Answer,
    a_client,
    a_world,
    code,
    graphql,
)
from tests.services.gateway.test_queries import a_workspace

BOOKS = """{ workspaces {
    balances { account currency amountMinor }
    ledger(first: 1) { nodes { transactionId kind changeId entries { account amountMinor } }
                       pageInfo { hasNextPage } } } }"""


def a_page() -> LedgerPage:
    charge = LedgerTransaction(
        transaction_id=UUID(int=1),
        kind=LedgerKind.CHARGE,
        at=NOW,
        change_id=UUID(int=2),
        entries=[
            LedgerEntry(account=LedgerAccount.CUSTOMER, currency="EUR", amount_minor=2_450),
            LedgerEntry(account=LedgerAccount.REVENUE, currency="EUR", amount_minor=-2_450),
        ],
    )
    held = LedgerBalance(account=LedgerAccount.REVENUE, currency="EUR", amount_minor=-2_450)
    return LedgerPage(transactions=[charge], balances=[held], cursor_next="7")


ANSWERS: dict[type[Message], Answer] = {
    ListWorkspaces: lambda query: Workspaces(workspaces=[a_workspace()]),
    ListLedger: lambda query: a_page(),
}


async def test_an_owner_sees_what_was_booked() -> None:
    world, fake = a_world(ANSWERS, *OWNER, "workspace.manage")

    async with a_client(world) as client:
        result = await graphql(client, BOOKS)

    (workspace,) = result["data"]["workspaces"]
    (shown,) = workspace["ledger"]["nodes"]
    assert workspace["balances"] == [
        {"account": "REVENUE", "currency": "EUR", "amountMinor": -2_450}
    ]
    assert (shown["kind"], [entry["amountMinor"] for entry in shown["entries"]]) == (
        "CHARGE",
        [2_450, -2_450],
    )
    assert workspace["ledger"]["pageInfo"] == {"hasNextPage": True}
    asked = [each for each in fake.asked if isinstance(each, ListLedger)]
    assert {each.workspace_id for each in asked} == {WORKSPACE}


async def test_nobody_else_does() -> None:
    world, _ = a_world(ANSWERS, *OWNER)

    async with a_client(world) as client:
        result = await graphql(client, BOOKS)

    (workspace,) = result["data"]["workspaces"]
    assert (workspace["ledger"], workspace["balances"]) == (None, None)
    assert code(result) == "FORBIDDEN"
