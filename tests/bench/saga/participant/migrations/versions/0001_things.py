"""Things."""

from alembic import op

revision = "0001_things"
down_revision = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE thing (id uuid PRIMARY KEY, workspace_id uuid NOT NULL,"
        " revision bigint NOT NULL, version bigint NOT NULL, state jsonb NOT NULL)"
        " WITH (fillfactor = 50)"
    )
