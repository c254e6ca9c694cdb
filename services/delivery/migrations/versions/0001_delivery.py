"""Apps, releases, and the public files of bundles."""

from alembic import op

revision = "0001_delivery"
down_revision = None

APP = """
CREATE TABLE app (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    revision bigint NOT NULL,
    version bigint NOT NULL,
    state jsonb NOT NULL
) WITH (fillfactor = 70)
"""

# `standing` is the release's state; the column `state` is the whole aggregate.
RELEASE = """
CREATE TABLE release (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    revision bigint NOT NULL,
    version bigint NOT NULL,
    state jsonb NOT NULL,
    app_id uuid NOT NULL,
    environment text NOT NULL,
    number integer NOT NULL,
    standing text NOT NULL,
    bundle_digest text NOT NULL
)
"""

# Numbers are unique within an app: the database says so too.
INDEXES = (
    "CREATE UNIQUE INDEX release_history ON release (app_id, number DESC)",
    "CREATE INDEX release_live ON release (app_id) WHERE standing = 'live'",
)

BUNDLE_FILE = """
CREATE TABLE bundle_file (
    workspace_id uuid NOT NULL,
    bundle_digest text NOT NULL,
    path text COLLATE "C" NOT NULL,
    digest text NOT NULL,
    size bigint NOT NULL,
    start bigint NOT NULL,
    content_type text NOT NULL,
    PRIMARY KEY (workspace_id, bundle_digest, path)
)
"""


def upgrade() -> None:
    op.execute(APP)
    op.execute(RELEASE)
    for index in INDEXES:
        op.execute(index)
    op.execute(BUNDLE_FILE)
