"""Pending replies: commands whose handlers said `Later`, and where their answers go."""

from alembic import op

revision = "0003_pending_replies"
down_revision = "0002_dead_letters"

# `name`: what the answer is about, in the service's own words. A row lives until it is answered.
PENDING_REPLY = """
CREATE TABLE pending_reply (
    name text NOT NULL,
    consumer_group text NOT NULL,
    message_id uuid NOT NULL,
    type text NOT NULL,
    reply_to text NOT NULL,
    subject text NOT NULL,
    correlation_id uuid,
    workspace_id uuid,
    actor_id uuid,
    traceparent text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, consumer_group, message_id)
)
"""


def upgrade() -> None:
    op.execute(PENDING_REPLY)
