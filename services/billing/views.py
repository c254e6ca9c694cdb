"""What billing answers when it is asked."""

from pydantic import TypeAdapter

from chassis.cursors import number_of
from chassis.errors import Rejected
from chassis.stores.postgres import Database
from contracts.billing.account import AccountUnknown, GetUsage, ListPlans, Plans, Usage
from contracts.billing.ledger import LedgerBalance, LedgerPage, LedgerTransaction, ListLedger
from services.billing.model.accounts import Account
from services.billing.model.plans import PLANS

_ACCOUNT = TypeAdapter(Account)
_TRANSACTIONS = """
SELECT t.seq, t.transaction_id, t.kind, t.at, t.change_id, t.payment_id,
    (SELECT jsonb_agg(jsonb_build_object('account', e.account, 'currency', e.currency,
        'amount_minor', e.amount_minor) ORDER BY e.number)
     FROM billing_entry AS e WHERE e.transaction_id = t.transaction_id) AS entries
FROM billing_transaction AS t
WHERE t.workspace_id = $1 AND ($2::bigint IS NULL OR t.seq < $2)
ORDER BY t.seq DESC LIMIT $3
"""
_BALANCES = """
SELECT account, currency, sum(amount_minor)::bigint AS amount_minor FROM billing_entry
WHERE workspace_id = $1 GROUP BY account, currency ORDER BY account, currency
"""


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


async def list_ledger(query: ListLedger, database: Database) -> LedgerPage:
    """A workspace's transactions, newest first, and what its accounts hold. The cursor is the
    number of the last transaction shown. Raises InvalidMessage."""
    before = number_of(query.cursor)
    rows = await database.fetch(_TRANSACTIONS, query.workspace_id, before, query.limit + 1)
    balances = await database.fetch(_BALANCES, query.workspace_id)
    shown = rows[: query.limit]
    return LedgerPage(
        transactions=[LedgerTransaction(**dict(row)) for row in shown],
        balances=[LedgerBalance(**dict(row)) for row in balances],
        cursor_next=str(shown[-1]["seq"]) if len(rows) > query.limit else "",
    )


VIEWS = (list_plans, get_usage, list_ledger)
