"""Dead letters and parked keys: what could not be handled, kept until somebody decides."""

from alembic import op

revision = "0002_dead_letters"
down_revision = "0001_chassis"

# `queue`: what keeps its order, a topic and a key. `sent_ms`, Kafka's timestamp, tells apart the
# records of a topic that was deleted and made again. `next_at`: when the head of a queue is tried
# again; a claim only moves it. `line` and `waiting_id` are set while the row holds up its key,
# `listed` while it has not ended. Each has an index that no other lookup fits, for plans are kept
# from when the table was empty and every index looked as good as any other.
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
    line text COLLATE "C" GENERATED ALWAYS AS
        (CASE WHEN state IN ('failed', 'waiting', 'redriven')
            THEN consumer_group || ' ' || queue END) STORED,
    waiting_id uuid GENERATED ALWAYS AS
        (CASE WHEN state IN ('failed', 'waiting', 'redriven') THEN message_id END) STORED,
    listed bigint GENERATED ALWAYS AS
        (CASE WHEN state IN ('undecodable', 'failed', 'waiting', 'redriven') THEN seq END) STORED,
    CONSTRAINT dead_letter_state CHECK (state IN
        ('undecodable', 'failed', 'waiting', 'redriven', 'discarded', 'handled')),
    CONSTRAINT dead_letter_record UNIQUE (topic, partition, "offset", sent_ms, consumer_group)
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


def upgrade() -> None:
    op.execute(DEAD_LETTER)
    op.execute("CREATE INDEX dead_letter_line ON dead_letter (line, seq) WHERE line IS NOT NULL")
    op.execute(
        "CREATE INDEX dead_letter_waiting ON dead_letter (waiting_id) WHERE waiting_id IS NOT NULL"
    )
    op.execute("CREATE INDEX dead_letter_listed ON dead_letter (listed) WHERE listed IS NOT NULL")
    op.execute(
        "CREATE INDEX dead_letter_ended ON dead_letter (last_at)"
        " WHERE state IN ('handled', 'discarded')"
    )
    op.execute(ACT)
    op.execute("CREATE INDEX dead_letter_act_letter ON dead_letter_act (letter_id)")
