"""Billing's part of the schema: plans, usage, the ledger."""

from uuid import UUID

from strawberry import Info

from contracts.billing.account import GetUsage, ListPlans, PlanLimits
from contracts.billing.account import Usage as UsageContract
from contracts.billing.ledger import LedgerBalance as LedgerBalanceContract
from contracts.billing.ledger import LedgerTransaction as LedgerTransactionContract
from contracts.billing.ledger import ListLedger
from services.gateway.graphql.connection import Connection, paged
from services.gateway.graphql.connection import Page as Fetched
from services.gateway.graphql.fields import field
from services.gateway.graphql.loaders import AppKey
from services.gateway.graphql.shapes import Shape, shape, shape_of
from services.gateway.graphql.studio import App
from services.gateway.scope import Scope

Plan = shape_of(PlanLimits)


@shape(UsageContract, hide=("workspace_id", "live_app_ids"))
class Usage(Shape):
    """What a workspace may consume and does. Units: apps live, or about to be, at one time."""

    @field("The apps that are live and count.")
    async def live_apps(self, info: Info[Scope, None]) -> list[App]:
        """Batched; apps that were deleted are left out."""
        keys = [AppKey(self.shown.workspace_id, app_id) for app_id in self.shown.live_app_ids]
        found = await info.context.loaders.apps.load_many(keys)
        return [App.of(app) for app in found if app]


async def usage_of(scope: Scope, workspace_id: UUID) -> Usage:
    """What a workspace consumes at this moment."""
    return Usage.of(await scope.ask(GetUsage(workspace_id=workspace_id)))


@shape(LedgerTransactionContract)
class LedgerTransaction(Shape):
    """Entries that sum to zero in each currency: positive is a debit, negative a credit. Amounts
    are in the currency's minor unit."""


@shape(LedgerBalanceContract)
class LedgerBalance(Shape):
    """What an account holds, over all transactions."""


async def ledger_of(
    scope: Scope, workspace_id: UUID, first: int, after: str | None
) -> Connection[LedgerTransaction]:
    """What a workspace was charged, paid and was given back."""

    async def fetch(limit: int, cursor: str) -> Fetched[LedgerTransactionContract]:
        query = ListLedger(workspace_id=workspace_id, limit=limit, cursor=cursor)
        page = await scope.ask(query)
        return page.transactions, page.cursor_next

    return await paged(first, after, fetch, LedgerTransaction.of)


async def balances_of(scope: Scope, workspace_id: UUID) -> list[LedgerBalance]:
    """What the accounts of a workspace hold."""
    page = await scope.ask(ListLedger(workspace_id=workspace_id, limit=1))
    return [LedgerBalance.of(each) for each in page.balances]


async def all_plans(scope: Scope) -> list[Plan]:  # type: ignore[valid-type]  # derived
    """Every plan on offer, smallest first."""
    return [Plan.of(plan) for plan in (await scope.ask(ListPlans())).plans]
