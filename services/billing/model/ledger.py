"""The ledger: transactions whose entries sum to zero, written once and never changed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chassis.clock import born_at, derived_id
from contracts.billing.ledger import LedgerAccount, LedgerKind

_ENTRIES_MIN = 2


@dataclass(frozen=True)
class Entry:
    """One side. A positive amount is a debit, a negative one a credit, in minor units."""

    account: LedgerAccount
    currency: str
    amount_minor: int


@dataclass(frozen=True)
class Transaction:
    """Entries that belong together. A bug that would unbalance the books fails here; the database
    refuses it once more."""

    transaction_id: UUID
    workspace_id: UUID
    kind: LedgerKind
    at: datetime
    entries: tuple[Entry, ...]
    change_id: UUID | None = None
    payment_id: UUID | None = None

    def __post_init__(self) -> None:
        sums: dict[str, int] = defaultdict(int)
        for entry in self.entries:
            assert entry.amount_minor, "an entry of nothing says nothing"
            sums[entry.currency] += entry.amount_minor
        assert len(self.entries) >= _ENTRIES_MIN, "money comes from somewhere and goes somewhere"
        assert not any(sums.values()), f"the entries of {self.transaction_id} do not balance"


class Ledger(Protocol):
    """Where transactions are written."""

    def post(self, transaction: Transaction) -> None:
        """Write it, once for its id."""
        ...


@dataclass(frozen=True)
class Moves:
    """What a transaction is about; its id follows from that, so that it is written once."""

    workspace_id: UUID
    at: datetime
    currency: str
    change_id: UUID
    payment_id: UUID | None = None

    def of(
        self, kind: LedgerKind, debit: LedgerAccount, credit: LedgerAccount, amount_minor: int
    ) -> Sequence[Transaction]:
        """An amount from `credit` to `debit`, a negative one the other way; none for nothing."""
        if not amount_minor:
            return ()
        subject = self.payment_id or self.change_id
        return (
            Transaction(
                transaction_id=derived_id(born_at(subject), subject, kind),
                workspace_id=self.workspace_id,
                kind=kind,
                at=self.at,
                entries=(
                    Entry(debit, self.currency, amount_minor),
                    Entry(credit, self.currency, -amount_minor),
                ),
                change_id=self.change_id,
                payment_id=self.payment_id,
            ),
        )
