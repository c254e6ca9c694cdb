"""Accounts."""

from alembic import op

revision = "0001_billing"
down_revision = None

# Rows are rewritten by every reservation: room in the page keeps the index out of it.
ACCOUNT = """
CREATE TABLE account (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    revision bigint NOT NULL,
    version bigint NOT NULL,
    state jsonb NOT NULL
) WITH (fillfactor = 70)
"""


def upgrade() -> None:
    op.execute(ACCOUNT)
