"""Users, sessions, workspaces, and wrong passwords in a row."""

from alembic import op

revision = "0001_identity"
down_revision = None

USER = """
CREATE TABLE registered_user (
    id uuid PRIMARY KEY,
    workspace_id uuid,
    revision bigint NOT NULL,
    version bigint NOT NULL,
    state jsonb NOT NULL,
    email text NOT NULL CONSTRAINT registered_user_email UNIQUE
)
"""

# Written at each request's touch, about once a minute: room in the page keeps that cheap.
SESSION = """
CREATE TABLE session (
    id uuid PRIMARY KEY,
    workspace_id uuid,
    revision bigint NOT NULL,
    version bigint NOT NULL,
    state jsonb NOT NULL,
    user_id uuid NOT NULL,
    token_digest text NOT NULL CONSTRAINT session_token_digest UNIQUE,
    opened_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    used_at timestamptz
) WITH (fillfactor = 80)
"""

WORKSPACE = """
CREATE TABLE workspace (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    revision bigint NOT NULL,
    version bigint NOT NULL,
    state jsonb NOT NULL,
    created_at timestamptz NOT NULL
)
"""

LOGIN_GUARD = """
CREATE TABLE login_guard (
    id text PRIMARY KEY,
    workspace_id uuid,
    revision bigint NOT NULL,
    version bigint NOT NULL,
    state jsonb NOT NULL,
    failed_at timestamptz NOT NULL
)
"""

INDEXES = (
    "CREATE INDEX session_of_user ON session (user_id, opened_at) WHERE revoked_at IS NULL",
    "CREATE INDEX session_expiry ON session (expires_at)",
    "CREATE INDEX workspace_of_member ON workspace USING gin ((state -> 'members'))",
    "CREATE INDEX login_guard_age ON login_guard (failed_at)",
)


def upgrade() -> None:
    for table in (USER, SESSION, WORKSPACE, LOGIN_GUARD):
        op.execute(table)
    for index in INDEXES:
        op.execute(index)
