"""Apps, revisions, shelves and the index of the heads' entities."""

from alembic import op

revision = "studio_0001"
down_revision = None
branch_labels = None
depends_on = None

AGGREGATE = """
    workspace_id uuid NOT NULL,
    revision bigint NOT NULL,
    version bigint NOT NULL,
    state jsonb NOT NULL
"""


def upgrade() -> None:
    """Create the tables. Rows that are rewritten often leave room in their pages."""
    op.execute(
        f"""CREATE TABLE app (id uuid PRIMARY KEY, {AGGREGATE},
            lifecycle text NOT NULL, app_name text NOT NULL, created_at timestamptz NOT NULL
        ) WITH (fillfactor = 70)"""
    )
    op.execute("CREATE INDEX app_listed ON app (workspace_id, lifecycle, id DESC)")
    op.execute(
        f"""CREATE TABLE app_revision (id uuid PRIMARY KEY, {AGGREGATE},
            app_id uuid NOT NULL, number integer NOT NULL, UNIQUE (app_id, number))"""
    )
    op.execute(f"CREATE TABLE shelf (id uuid PRIMARY KEY, {AGGREGATE}) WITH (fillfactor = 70)")
    op.execute(
        """CREATE TABLE entity (
            app_id uuid NOT NULL, entity_id text NOT NULL, workspace_id uuid NOT NULL,
            kind text NOT NULL, name text NOT NULL, page text NOT NULL, parent_id text NOT NULL,
            path text NOT NULL, digest text NOT NULL, entity_version integer NOT NULL,
            fields jsonb NOT NULL, PRIMARY KEY (app_id, entity_id))"""
    )
    op.execute("CREATE INDEX entity_listed ON entity (app_id, page, path, entity_id)")


def downgrade() -> None:
    """Drop them."""
    for table in ("entity", "shelf", "app_revision", "app"):
        op.execute(f"DROP TABLE {table}")
