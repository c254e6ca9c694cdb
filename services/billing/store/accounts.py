"""Where accounts are kept: one row for each workspace."""

from uuid import UUID

from chassis.stores.aggregates import AggregateStore
from services.billing.model.accounts import Account


class SqlAccounts(AggregateStore[Account]):
    """Accounts in Postgres; their `version` numbers the events of billing.account."""

    table = "account"
    aggregate = Account
    announces = "account"

    @staticmethod
    def key(account: Account) -> UUID:
        return account.workspace_id
