"""Inbox, outbox, the relay's leases, long work, and the guard of compare-and-set."""

from alembic import op

revision = "0001_chassis"
down_revision = None

INBOX = """
CREATE TABLE inbox (
    consumer_group text NOT NULL,
    message_id uuid NOT NULL,
    reply_type text,
    reply bytea,
    input_digest bytea,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer_group, message_id)
)
"""

# `epoch`: the lease under which the writer promised to send the row itself; 0 is no promise.
OUTBOX = """
CREATE TABLE outbox (
    id uuid PRIMARY KEY,
    seq bigserial NOT NULL,
    aggregatetype text NOT NULL,
    aggregateid text NOT NULL,
    type text NOT NULL,
    topic text NOT NULL,
    headers text NOT NULL,
    payload bytea NOT NULL,
    shard integer NOT NULL,
    epoch bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 10000
)
"""

OPERATION = """
CREATE TABLE operation (
    operation_id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    kind text NOT NULL,
    subject_id text NOT NULL DEFAULT '',
    state text NOT NULL,
    step text NOT NULL DEFAULT '',
    done bigint NOT NULL DEFAULT 0,
    total bigint NOT NULL DEFAULT 0,
    input jsonb NOT NULL DEFAULT '{}',
    result jsonb NOT NULL DEFAULT '{}',
    error_type text NOT NULL DEFAULT '',
    error jsonb NOT NULL DEFAULT '{}',
    version bigint NOT NULL DEFAULT 0,
    actor_id uuid,
    traceparent text NOT NULL DEFAULT '',
    attempts integer NOT NULL DEFAULT 0,
    command_type text NOT NULL DEFAULT '',
    command text NOT NULL DEFAULT '',
    lease_until timestamptz,
    lease_owner text,
    started_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
)
"""

EXPECT = """
CREATE FUNCTION basalt_expect(affected bigint, expected bigint, fragment text) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    IF affected <> expected THEN
        RAISE EXCEPTION '%: % rows affected, % expected', fragment, affected, expected
            USING ERRCODE = '40001';
    END IF;
    RETURN affected;
END
$$
"""

LEASES = (
    """
CREATE TABLE relay_member (
    owner text PRIMARY KEY,
    until timestamptz NOT NULL
)
""",
    """
CREATE TABLE relay_lease (
    shard integer PRIMARY KEY,
    owner text,
    epoch bigint NOT NULL DEFAULT 0,
    until timestamptz NOT NULL DEFAULT '-infinity'
)
""",
)

# One heartbeat: say that `me` lives, prolong its leases, give up or take shards until every living
# replica holds its fair share. A new or renumbered lease has a higher epoch.
TICK = """
CREATE FUNCTION relay_tick(me text, lease interval, shards integer, renumber integer[])
RETURNS TABLE (held_shard integer, held_epoch bigint) LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    fair integer;
    held integer;
BEGIN
    INSERT INTO relay_member AS m (owner, until) VALUES (me, moment + lease)
        ON CONFLICT (owner) DO UPDATE SET until = excluded.until;
    DELETE FROM relay_member AS m WHERE m.until < moment - interval '1 minute';
    IF (SELECT count(*) FROM relay_lease) < shards THEN
        INSERT INTO relay_lease (shard) SELECT generate_series(0, shards - 1)
            ON CONFLICT DO NOTHING;
    END IF;
    UPDATE relay_lease AS l SET until = moment + lease,
        epoch = l.epoch + CASE WHEN l.shard = ANY (renumber) THEN 1 ELSE 0 END
        WHERE l.owner = me;
    GET DIAGNOSTICS held = ROW_COUNT;
    SELECT ceil(shards::numeric / count(*)) INTO fair FROM relay_member AS m
        WHERE m.until > moment;
    IF held > fair THEN
        UPDATE relay_lease AS l SET owner = NULL, until = '-infinity' WHERE l.shard IN (
            SELECT o.shard FROM relay_lease AS o WHERE o.owner = me
            ORDER BY o.shard DESC LIMIT held - fair);
    ELSIF held < fair THEN
        UPDATE relay_lease AS l SET owner = me, epoch = l.epoch + 1, until = moment + lease
            WHERE l.shard IN (
                SELECT o.shard FROM relay_lease AS o
                WHERE o.shard < shards AND o.until < moment AND o.owner IS DISTINCT FROM me
                ORDER BY o.shard LIMIT fair - held FOR UPDATE SKIP LOCKED);
    END IF;
    RETURN QUERY SELECT l.shard, l.epoch FROM relay_lease AS l WHERE l.owner = me;
END
$$
"""


def upgrade() -> None:
    op.execute(INBOX)
    op.execute("CREATE INDEX inbox_at ON inbox USING brin (at)")  # for pruning: rows come in order
    op.execute(OUTBOX)
    op.execute("CREATE INDEX outbox_shard_epoch ON outbox (shard, epoch)")
    op.execute(OPERATION)
    op.execute("CREATE INDEX operation_workspace ON operation (workspace_id, operation_id DESC)")
    op.execute("CREATE INDEX operation_open ON operation (lease_until) WHERE finished_at IS NULL")
    op.execute(EXPECT)
    for table in LEASES:
        op.execute(table)
    op.execute(TICK)
