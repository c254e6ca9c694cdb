"""Ledger: what a workspace was charged, paid and was given back. Owner: billing. Key: workspace_id.

Double entry: each transaction's entries sum to zero in every currency. Amounts are integers in the
currency's minor unit (cents); a positive amount is a debit, a negative one a credit. Nothing is
ever changed or deleted: what was wrong is set right by another transaction.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from contracts.base import Query, Reply

KEY = "workspace_id"


class LedgerKind(StrEnum):
    """Why money moved. Readers show a kind that they do not know by its name."""

    CHARGE = "charge"  # a plan for the rest of its period
    PRORATION = "proration"  # the rest of a plan that is left before its period ends
    PAYMENT = "payment"  # captured at the payment provider
    CREDIT = "credit"  # kept for the workspace, or used by it
    REFUND = "refund"  # given back through the payment provider


class LedgerAccount(StrEnum):
    """The accounts of a workspace. `customer`: what it owes; `credit`: what is kept for it;
    `clearing`: what the payment provider holds for us; `revenue`: what was earned."""

    CUSTOMER = "customer"
    REVENUE = "revenue"
    CLEARING = "clearing"
    CREDIT = "credit"


class LedgerEntry(Reply):
    """One side of a transaction."""

    account: LedgerAccount
    currency: str
    amount_minor: int


class LedgerTransaction(Reply):
    """Entries that sum to zero in each currency."""

    transaction_id: UUID
    kind: LedgerKind
    at: datetime
    change_id: UUID | None = None
    payment_id: UUID | None = None
    entries: list[LedgerEntry]


class LedgerBalance(Reply):
    """What an account holds, over all transactions."""

    account: LedgerAccount
    currency: str
    amount_minor: int


class LedgerPage(Reply):
    """Newest first, with the balances of all accounts. `cursor_next` is empty on the last page."""

    transactions: list[LedgerTransaction]
    balances: list[LedgerBalance]
    cursor_next: str = ""


class ListLedger(Query[LedgerPage], permission="workspace.manage"):
    """What the workspace was charged, paid and was given back."""

    workspace_id: UUID
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str = Field(default="", max_length=40)
