"""Tables of made-up participants: what was done under each key, and which events were seen."""

from alembic import op

revision = "0001_deeds"
down_revision = None

TABLES = ("sim_deeds_0", "sim_deeds_1", "sim_deeds_2", "sim_deeds_3", "sim_seen")


def upgrade() -> None:
    for table in TABLES:
        op.execute(
            f"CREATE TABLE {table} (id text PRIMARY KEY, revision bigint NOT NULL,"
            " version bigint NOT NULL, workspace_id uuid, state jsonb NOT NULL)"
        )
