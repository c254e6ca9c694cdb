"""Where the ledger is kept: `billing_transaction` and `billing_entry`, appended and never changed.

The database checks at each commit that a transaction's entries are all there and sum to zero.
"""

from chassis.resources import Resources
from chassis.stores.chunks import ChunkStore
from chassis.stores.statement import Statement
from services.billing.model.ledger import Transaction


class SqlLedger(ChunkStore):
    """The transactions of one chunk. One that is there already is not written again."""

    def __init__(self, resources: Resources) -> None:
        super().__init__(resources)
        self._posted: dict[object, Transaction] = {}

    def post(self, transaction: Transaction) -> None:
        self._posted.setdefault(transaction.transaction_id, transaction)

    def snapshot(self) -> object:
        return dict(self._posted)

    def restore(self, snapshot: object) -> None:
        assert isinstance(snapshot, dict), "what `snapshot` gave"
        self._posted = snapshot

    def flush(self, statement: Statement) -> None:
        if not self._posted:
            return
        posted = list(self._posted.values())
        statement.add(
            "INSERT INTO billing_transaction (transaction_id, workspace_id, kind, change_id,"
            " payment_id, entries, at)"
            " SELECT * FROM unnest({}::uuid[], {}::uuid[], {}::text[], {}::uuid[], {}::uuid[],"
            " {}::int[], {}::timestamptz[]) ON CONFLICT (transaction_id) DO NOTHING",
            [each.transaction_id for each in posted],
            [each.workspace_id for each in posted],
            [each.kind.value for each in posted],
            [each.change_id for each in posted],
            [each.payment_id for each in posted],
            [len(each.entries) for each in posted],
            [each.at for each in posted],
        )
        self._flush_entries(statement, posted)

    @staticmethod
    def _flush_entries(statement: Statement, posted: list[Transaction]) -> None:
        """Of transactions that were not there before this statement; should another one write
        the same at this moment, the primary key makes it a Conflict."""
        entries = [
            (each, number, entry)
            for each in posted
            for number, entry in enumerate(each.entries, start=1)
        ]
        statement.add(
            "INSERT INTO billing_entry (transaction_id, number, workspace_id, account, currency,"
            " amount_minor) SELECT * FROM unnest({}::uuid[], {}::int[], {}::uuid[], {}::text[],"
            " {}::text[], {}::bigint[]) AS u(transaction_id, number, workspace_id, account,"
            " currency, amount_minor) WHERE NOT EXISTS (SELECT FROM billing_transaction AS t"
            " WHERE t.transaction_id = u.transaction_id)",
            [each.transaction_id for each, _, _ in entries],
            [number for _, number, _ in entries],
            [each.workspace_id for each, _, _ in entries],
            [entry.account.value for _, _, entry in entries],
            [entry.currency for _, _, entry in entries],
            [entry.amount_minor for _, _, entry in entries],
        )
