"""Sagas are partitioned by the month of their start: ended ones are dropped with it (ADR 15).

`saga_due` carries what is counted of open sagas, so that counting them reads no row.
"""

from alembic import op

revision = "0003_sagas_by_time"
down_revision = "0002_operating"

# Drops the months whose sagas all ended before `keep`, and the weeks of history of which no saga
# is left. A saga that ended writes no more, and none begins in the past: what has no open saga
# stays so.
PRUNE = """
CREATE FUNCTION prune_sagas(keep interval) RETURNS integer
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    dropped integer;
    oldest timestamptz;
    part record;
BEGIN
    dropped := drop_id_partitions('saga_instance', now() - keep,
        'next_wake_at IS NOT NULL OR updated_at >= $1', 'next_wake_at IS NOT NULL');
    DELETE FROM saga_instance_default WHERE ctid = ANY (ARRAY(SELECT ctid FROM saga_instance_default
        WHERE next_wake_at IS NULL AND updated_at < now() - keep LIMIT 10000));
    SELECT least(now() - keep, (SELECT min(started_at) FROM saga_instance_default),
            min(id_moment(substring(pg_get_expr(c.relpartbound, c.oid)
                FROM $re$FROM \\('([0-9a-f-]{36})'\\)$re$)::uuid))) INTO oldest
        FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'saga_instance'::regclass;
    FOR part IN SELECT c.relname AS name FROM pg_inherits AS i
        JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'saga_event'::regclass
            AND substring(pg_get_expr(c.relpartbound, c.oid)
                FROM $re$TO \\('([^']+)'\\)$re$)::timestamptz <= oldest
    LOOP
        EXECUTE format('DROP TABLE %I', part.name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$
"""


def upgrade() -> None:
    op.execute("DROP INDEX saga_due")
    op.execute(
        "CREATE INDEX saga_due ON saga_instance (shard, next_wake_at) INCLUDE (type, status)"
        " WHERE next_wake_at IS NOT NULL"
    )
    op.execute("DROP INDEX saga_locking")
    op.execute(
        "CREATE INDEX saga_locking ON saga_instance (id)"
        " WHERE phase = 'LOCKING' AND next_wake_at IS NOT NULL"
    )
    op.execute("SELECT partition_by_id('saga_instance', 'id')")
    op.execute("SELECT id_partitions('saga_instance', 'month', 2)")
    op.execute(PRUNE)
