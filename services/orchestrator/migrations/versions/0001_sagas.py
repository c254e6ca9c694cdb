"""Sagas, their history and their locks."""

from alembic import op

revision = "0001_sagas"
down_revision = None

# One row read and one row written per transition. `next_wake_at` is the saga's timer: a saga that
# has not ended cannot be without one. It changes seldom while answers come in time, and nothing
# else that changes is indexed: the new row version stays on its page (hence the fillfactor).
INSTANCE = """
CREATE TABLE saga_instance (
    id uuid PRIMARY KEY,
    type text NOT NULL,
    definition_version integer NOT NULL,
    workspace_id uuid,
    status text NOT NULL,
    phase text NOT NULL,
    cursor integer NOT NULL,
    version bigint NOT NULL,
    owner_epoch bigint NOT NULL DEFAULT 0,
    shard integer NOT NULL,
    next_wake_at timestamptz,
    deadline_at timestamptz NOT NULL,
    business_key text NOT NULL,
    traceparent text NOT NULL DEFAULT '',
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    state json NOT NULL,
    CONSTRAINT open_has_wake_up CHECK (
        (status IN ('COMPLETED', 'COMPENSATED', 'ABANDONED')) = (next_wake_at IS NULL)
    )
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000
)
"""

EVENT = """
CREATE TABLE saga_event (
    saga_id uuid NOT NULL,
    version bigint NOT NULL,
    at timestamptz NOT NULL,
    happened text NOT NULL,
    step text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (saga_id, version, at)
) PARTITION BY RANGE (at)
"""

# The first of a queue holds the lock.
LOCK = """
CREATE TABLE entity_lock (
    key text PRIMARY KEY,
    queue uuid[] NOT NULL CHECK (cardinality(queue) > 0)
) WITH (fillfactor = 50)
"""

# A row of a week that has no partition goes to the default one; it stays empty in practice.
PARTITIONS = """
CREATE FUNCTION saga_event_partitions(weeks integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('saga_event_partitions'));
    FOR number IN 0..weeks LOOP
        first := date_trunc('week', now() + number * interval '1 week', 'UTC');
        EXECUTE format(
            'CREATE TABLE IF NOT EXISTS %I PARTITION OF saga_event FOR VALUES FROM (%L) TO (%L)',
            'saga_event_' || to_char(first AT TIME ZONE 'UTC', 'IYYY"w"IW'),
            first, first + interval '1 week');
    END LOOP;
END
$$
"""


def upgrade() -> None:
    op.execute(INSTANCE)
    op.execute(
        "CREATE INDEX saga_due ON saga_instance (shard, next_wake_at)"
        " WHERE next_wake_at IS NOT NULL"
    )
    op.execute("CREATE INDEX saga_workspace ON saga_instance (workspace_id, id DESC)")
    op.execute(EVENT)
    op.execute("CREATE TABLE saga_event_default PARTITION OF saga_event DEFAULT")
    op.execute(LOCK)
    op.execute(PARTITIONS)
    op.execute("SELECT saga_event_partitions(4)")
