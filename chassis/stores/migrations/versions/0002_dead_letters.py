"""Dead letters and parked keys: what could not be handled, kept until somebody decides."""

from alembic import op

revision = "0002_dead_letters"
down_revision = "0001_chassis"

# `queue`: what keeps its order, a topic and a key. `sent_ms`, Kafka's timestamp, tells apart the
# records of a topic that was deleted and made again. `next_at`: when the head of a queue is tried
# again; a claim only moves it.
DEAD_LETTER = """
CREATE TABLE dead_letter (
    seq bigserial PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    consumer_group text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    sent_ms bigint NOT NULL,
    queue text NOT NULL,
    key bytea,
    headers text NOT NULL,
    payload bytea,
    message_id uuid,
    type text NOT NULL DEFAULT '',
    state text NOT NULL,
    reason text NOT NULL,
    error text NOT NULL DEFAULT '',
    handler text NOT NULL DEFAULT '',
    traceparent text NOT NULL DEFAULT '',
    attempts integer NOT NULL DEFAULT 0,
    pause_s double precision NOT NULL DEFAULT 0,
    next_at timestamptz,
    first_at timestamptz NOT NULL DEFAULT now(),
    last_at timestamptz NOT NULL DEFAULT now(),
    by text NOT NULL DEFAULT '',
    why text NOT NULL DEFAULT '',
    CONSTRAINT dead_letter_state CHECK (state IN
        ('undecodable', 'failed', 'waiting', 'redriven', 'discarded', 'handled')),
    CONSTRAINT dead_letter_record UNIQUE (consumer_group, topic, partition, "offset", sent_ms)
)
"""

# What operators did, kept longer than the letters.
ACT = """
CREATE TABLE dead_letter_act (
    at timestamptz NOT NULL DEFAULT now(),
    letter_id uuid NOT NULL,
    act text NOT NULL,
    by text NOT NULL,
    why text NOT NULL DEFAULT ''
)
"""

PARKED = "state IN ('failed', 'waiting', 'redriven')"


def upgrade() -> None:
    op.execute(DEAD_LETTER)
    op.execute(
        "CREATE INDEX dead_letter_parked ON dead_letter (consumer_group, queue, seq)"
        f" WHERE {PARKED}"
    )
    op.execute(
        "CREATE INDEX dead_letter_message ON dead_letter (consumer_group, message_id)"
        f" WHERE {PARKED}"
    )
    op.execute("CREATE INDEX dead_letter_count ON dead_letter (consumer_group, state)")
    op.execute(
        "CREATE INDEX dead_letter_ended ON dead_letter (last_at)"
        " WHERE state IN ('handled', 'discarded')"
    )
    op.execute(ACT)
    op.execute("CREATE INDEX dead_letter_act_letter ON dead_letter_act (letter_id)")
