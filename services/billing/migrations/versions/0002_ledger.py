"""Changes of plan, payments, and the ledger, which the database itself keeps balanced."""

from alembic import op

revision = "0002_ledger"
down_revision = "0001_billing"

AGGREGATE = """
CREATE TABLE {table} (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    revision bigint NOT NULL,
    version bigint NOT NULL,
    state jsonb NOT NULL
) WITH (fillfactor = 70)
"""

TRANSACTION = """
CREATE TABLE billing_transaction (
    transaction_id uuid PRIMARY KEY,
    seq bigserial NOT NULL UNIQUE,
    workspace_id uuid NOT NULL,
    kind text NOT NULL
        CHECK (kind IN ('charge', 'proration', 'payment', 'credit', 'refund')),
    change_id uuid,
    payment_id uuid,
    entries integer NOT NULL CHECK (entries >= 2),
    at timestamptz NOT NULL
)
"""

# Positive is a debit, negative a credit, in the currency's minor unit.
ENTRY = """
CREATE TABLE billing_entry (
    transaction_id uuid NOT NULL REFERENCES billing_transaction,
    number integer NOT NULL CHECK (number > 0),
    workspace_id uuid NOT NULL,
    account text NOT NULL CHECK (account IN ('customer', 'revenue', 'clearing', 'credit')),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    PRIMARY KEY (transaction_id, number)
)
"""

# Both tables call it, at the commit: for a transaction without its entries, and for entries that
# are added to a transaction which has all of its own.
BALANCED = """
CREATE FUNCTION billing_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted integer;
    found integer;
BEGIN
    SELECT entries INTO wanted FROM billing_transaction
        WHERE transaction_id = NEW.transaction_id AND workspace_id = NEW.workspace_id;
    SELECT count(*) INTO found FROM billing_entry
        WHERE transaction_id = NEW.transaction_id AND workspace_id = NEW.workspace_id;
    IF wanted IS DISTINCT FROM found OR EXISTS (
        SELECT FROM billing_entry WHERE transaction_id = NEW.transaction_id
        GROUP BY currency HAVING sum(amount_minor) <> 0
    ) THEN
        RAISE EXCEPTION 'ledger transaction % does not balance', NEW.transaction_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$
"""

APPEND_ONLY = """
CREATE FUNCTION billing_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is appended to, never changed'
        USING ERRCODE = 'restrict_violation';
END
$$
"""

TABLES = ("billing_transaction", "billing_entry")


def upgrade() -> None:
    for table in ("plan_change", "payment"):
        op.execute(AGGREGATE.format(table=table))
        op.execute(f"CREATE INDEX {table}_workspace ON {table} (workspace_id)")
    op.execute(TRANSACTION)
    op.execute(ENTRY)
    op.execute("CREATE INDEX billing_transaction_page ON billing_transaction (workspace_id, seq)")
    op.execute("CREATE INDEX billing_entry_workspace ON billing_entry (workspace_id)")
    op.execute(BALANCED)
    op.execute(APPEND_ONLY)
    for table in TABLES:
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {table}_balanced AFTER INSERT ON {table}"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing_balanced()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION billing_append_only()"
        )
