"""Replicas say which outbox shards they wish: those of the partitions that they consume."""

from alembic import op

revision = "0004_wished_shards"
down_revision = "0003_pending_replies"

# One heartbeat: say that `me` lives and what it wishes, prolong its leases, then give up what only
# another living replica wishes and take what is wished and free. The shards that nobody wishes are
# shared out fairly. A new or renumbered lease has a higher epoch.
TICK = """
CREATE FUNCTION relay_tick(
    me text, lease interval, shards integer, renumber integer[], wishes integer[] DEFAULT '{}'
) RETURNS TABLE (held_shard integer, held_epoch bigint) LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    sought integer[];  -- what any living replica wishes
    fair integer;
    held integer;
BEGIN
    INSERT INTO relay_member AS m (owner, until, wished) VALUES (me, moment + lease, wishes)
        ON CONFLICT (owner) DO UPDATE SET until = excluded.until, wished = excluded.wished;
    DELETE FROM relay_member AS m WHERE m.until < moment - interval '1 minute';
    IF (SELECT count(*) FROM relay_lease) < shards THEN
        INSERT INTO relay_lease (shard) SELECT generate_series(0, shards - 1)
            ON CONFLICT DO NOTHING;
    END IF;
    UPDATE relay_lease AS l SET until = moment + lease,
        epoch = l.epoch + CASE WHEN l.shard = ANY (renumber) THEN 1 ELSE 0 END
        WHERE l.owner = me;
    SELECT coalesce(array_agg(DISTINCT w.shard), '{}') INTO sought
        FROM relay_member AS m, unnest(m.wished) AS w(shard) WHERE m.until > moment;
    UPDATE relay_lease AS l SET owner = NULL, until = '-infinity'
        WHERE l.owner = me AND l.shard = ANY (sought) AND l.shard <> ALL (wishes);
    UPDATE relay_lease AS l SET owner = me, epoch = l.epoch + 1, until = moment + lease
        WHERE l.shard IN (
            SELECT o.shard FROM relay_lease AS o
            WHERE o.shard = ANY (wishes) AND o.until < moment AND o.owner IS DISTINCT FROM me
            ORDER BY o.shard FOR UPDATE SKIP LOCKED);
    SELECT ceil((SELECT count(*) FROM relay_lease AS l WHERE l.shard <> ALL (sought))::numeric
        / count(*)) INTO fair FROM relay_member AS m WHERE m.until > moment;
    SELECT count(*) INTO held FROM relay_lease AS l
        WHERE l.owner = me AND l.shard <> ALL (sought);
    IF held > fair THEN
        UPDATE relay_lease AS l SET owner = NULL, until = '-infinity' WHERE l.shard IN (
            SELECT o.shard FROM relay_lease AS o WHERE o.owner = me AND o.shard <> ALL (sought)
            ORDER BY o.shard DESC LIMIT held - fair);
    ELSIF held < fair THEN
        UPDATE relay_lease AS l SET owner = me, epoch = l.epoch + 1, until = moment + lease
            WHERE l.shard IN (
                SELECT o.shard FROM relay_lease AS o
                WHERE o.shard <> ALL (sought) AND o.until < moment
                    AND o.owner IS DISTINCT FROM me
                ORDER BY o.shard LIMIT fair - held FOR UPDATE SKIP LOCKED);
    END IF;
    RETURN QUERY SELECT l.shard, l.epoch FROM relay_lease AS l WHERE l.owner = me;
END
$$
"""


def upgrade() -> None:
    op.execute("ALTER TABLE relay_member ADD COLUMN wished integer[] NOT NULL DEFAULT '{}'")
    op.execute("DROP FUNCTION relay_tick(text, interval, integer, integer[])")
    op.execute(TICK)
