"""What billing answers when it is asked."""

from pydantic import TypeAdapter

from chassis.errors import Rejected
from chassis.stores.postgres import Database
from contracts.billing.account import AccountUnknown, GetUsage, ListPlans, Plans, Usage
from services.billing.model import PLANS, Account

_ACCOUNT = TypeAdapter(Account)


async def list_plans(query: ListPlans) -> Plans:
    """Every plan on offer."""
    return Plans(plans=list(PLANS.values()))


async def get_usage(query: GetUsage, database: Database) -> Usage:
    """One account, as its row says."""
    row = await database.fetchrow(
        "SELECT state, version FROM account WHERE id = $1", query.workspace_id
    )
    if row is None:
        raise Rejected(AccountUnknown(workspace_id=query.workspace_id))
    account = _ACCOUNT.validate_python(row["state"])
    return Usage(
        workspace_id=account.workspace_id,
        state=account.state,
        **account.limits.model_dump(),
        units_live=account.units_live,
        units_reserved=account.units_used - account.units_live,
        units_left=account.units_left,
        live_app_ids=account.live_app_ids,
        version=row["version"],
    )


VIEWS = (list_plans, get_usage)
