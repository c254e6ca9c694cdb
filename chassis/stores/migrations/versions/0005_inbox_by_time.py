"""The inbox is partitioned by the time in its ids: what is old is dropped, not deleted (ADR 15)."""

from alembic import op

revision = "0005_inbox_by_time"
down_revision = "0004_wished_shards"

# The lowest UUIDv7 of a moment, and the moment of such a bound.
FLOOR = """
CREATE FUNCTION id_floor(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT rpad(lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$
"""
MOMENT = """
CREATE FUNCTION id_moment(id uuid) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT to_timestamp(
        ('x' || lpad(left(replace(id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0)
$$
"""

# Makes a table the default partition of one of the same name. Ids that carry no time, or another
# one than the partitions' (keyed commands lie in the year 2100), stay there.
CONVERT = """
CREATE FUNCTION partition_by_id(parent text, key text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    old text := parent || '_default';
    found record;
BEGIN
    EXECUTE format('ALTER TABLE %I RENAME TO %I', parent, old);
    FOR found IN SELECT c.relname FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
        WHERE i.indrelid = old::regclass
    LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', found.relname, 'default_' || found.relname);
    END LOOP;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS'
        ' INCLUDING GENERATED INCLUDING INDEXES) PARTITION BY RANGE (%I)', parent, old, key);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I DEFAULT', parent, old);
END
$$
"""

# Makes the partitions of now and of the next `ahead` units ('week', 'month'); until when there are
# some. Rows of the default one that belong into a new one move. Whoever cannot have the locks at
# once fails, and comes again: nobody waits for it, and there is always the default partition.
AHEAD = """
CREATE FUNCTION id_partitions(parent text, unit text, ahead integer) RETURNS timestamptz
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    rest text := parent || '_default';
    part text;
    key text;
    options text;
    first timestamptz := date_trunc(unit, now(), 'UTC');
    until timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('id_partitions ' || parent));
    SELECT a.attname INTO key FROM pg_partitioned_table AS p JOIN pg_attribute AS a
        ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
        WHERE p.partrelid = parent::regclass;
    SELECT array_to_string(reloptions, ', ') INTO options FROM pg_class
        WHERE oid = rest::regclass;
    FOR number IN 0..ahead LOOP
        until := date_trunc(unit, first + ('1 ' || unit)::interval + interval '12 hours', 'UTC');
        part := parent || '_' || to_char(first AT TIME ZONE 'UTC', 'YYYYMMDD');
        IF to_regclass(part) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, rest);
            IF options <> '' THEN
                EXECUTE format('ALTER TABLE %I SET (%s)', part, options);
            END IF;
            EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', rest);
            EXECUTE format('WITH moved AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *)'
                ' INSERT INTO %I SELECT * FROM moved',
                rest, key, id_floor(first), key, id_floor(until), part);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                parent, part, id_floor(first), id_floor(until));
        END IF;
        first := until;
    END LOOP;
    RETURN until;
END
$$
"""

# Drops the partitions whose ids are all of before `horizon` and of whose rows none is `wanted` (a
# condition on $1, the horizon); how many went. It is asked for twice, the second time (`still`)
# while nobody can write: that must be quick.
DROP = """
CREATE FUNCTION drop_id_partitions(parent text, horizon timestamptz, wanted text, still text)
RETURNS integer LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    part record;
    needed boolean;
    dropped integer := 0;
BEGIN
    FOR part IN SELECT c.relname AS name, substring(pg_get_expr(c.relpartbound, c.oid)
            FROM $re$TO \\('([0-9a-f-]{36})'\\)$re$)::uuid AS bound
        FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = parent::regclass ORDER BY 2
    LOOP
        CONTINUE WHEN part.bound IS NULL OR part.bound > id_floor(horizon);
        EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE %s)', part.name, wanted)
            INTO needed USING horizon;
        CONTINUE WHEN needed;
        EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE', parent);
        EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE %s)', part.name, still)
            INTO needed USING horizon;
        CONTINUE WHEN needed;
        EXECUTE format('DROP TABLE %I', part.name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$
"""

# What may be forgotten: older than `keep`, than every letter that has not ended, and than every
# command that waits for its answer.
HORIZON = """
CREATE FUNCTION inbox_horizon(keep interval) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT least(now() - keep,
        (SELECT first_at FROM dead_letter WHERE listed IS NOT NULL ORDER BY listed LIMIT 1),
        (SELECT min(at) FROM pending_reply))
$$
"""
FORGET = """
CREATE FUNCTION inbox_drop(keep interval) RETURNS integer LANGUAGE sql AS $$
    SELECT drop_id_partitions('inbox', inbox_horizon(keep), 'at >= $1', 'at >= $1')
$$
"""
REST = """
CREATE FUNCTION inbox_forget(keep interval, most integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    gone integer;
BEGIN
    DELETE FROM inbox_default WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM inbox_default WHERE at < inbox_horizon(keep) LIMIT most));
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$
"""


def upgrade() -> None:
    for function in (FLOOR, MOMENT, CONVERT, AHEAD, DROP, HORIZON):
        op.execute(function)
    op.execute("SELECT partition_by_id('inbox', 'message_id')")
    op.execute("SELECT id_partitions('inbox', 'week', 2)")
    op.execute(FORGET)
    op.execute(REST)
