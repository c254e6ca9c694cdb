"""What a saga costs beside many others (finished ones, and ones that wait for hours), and what two
replicas of each process cost.

Rows are written by SQL: so many finished sagas, as many that wait (each with its lock), and as many
rows of the inbox, all of the last hours. Judged by CPU time of the orchestrator and of PostgreSQL,
not by the clock. Timers, gauges and the auditor work as they do in the service.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from tests.bench import saga_throughput
from tests.bench.table import Measurement

ROWS = (1_000, 100_000, 1_000_000)
SAGAS = 4_000
SAGAS_OF_PAIRS = 10_000
IN_FLIGHT = 512
FILL_S = 600.0

# Ids of the last hours, a millisecond apart, in the order of their birth, as real ones are: so
# they lie beside those of the sagas that are measured, in the same partitions.
_ID = """(lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - {hours} * 3600000 + n), 12, '0')
    || '70008000' || lpad(to_hex(n), 12, '0'))::uuid"""
_SAGAS = """
INSERT INTO saga_instance (id, type, definition_version, workspace_id, status, phase, cursor,
    version, shard, next_wake_at, deadline_at, business_key, started_at, updated_at, state)
SELECT {id}, 'trade_thing', 1, gen_random_uuid(), $1::text, 'FORWARD', 5, 11, n % 6,
    $2::timestamptz, now() + interval '1 day', {id}::text, now(), now(),
    '{{"data": {{"thing_id": "01934b5e-0000-7000-8000-000000000000", "price": 7}}, "facts": 3,
       "steps": [["done", 1], ["done", 1], ["done", 1], ["done", 1], ["done", 1]],
       "wake_at": null, "error_type": "", "error": "", "actor_id": null}}'::json
FROM generate_series(1, $3::int) AS n
"""
_INBOX = """
INSERT INTO inbox (consumer_group, message_id)
SELECT 'orchestrator', {id} FROM generate_series(1, $1::int) AS n
"""
_LOCKS = """
INSERT INTO entity_lock (key, queue)
SELECT 'thing_id:' || business_key, ARRAY[id] FROM saga_instance WHERE next_wake_at IS NOT NULL
"""
_FINISHED, _WAITING, _MESSAGES = 3, 2, 1  # hours ago


@dataclass(frozen=True, slots=True)
class Filled:
    """Writes `rows` of each kind into the orchestrator's database at a URL."""

    rows: int

    async def __call__(self, url: str) -> None:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            for sql, *args in (
                (_SAGAS.format(id=_ID.format(hours=_FINISHED)), "COMPLETED", None, self.rows),
                (_INBOX.format(id=_ID.format(hours=_MESSAGES)), self.rows),
            ):
                await connection.execute(sql, *args, timeout=FILL_S)
            later = await connection.fetchval("SELECT now() + interval '10 hours'", timeout=10)
            sql = _SAGAS.format(id=_ID.format(hours=_WAITING))
            await connection.execute(sql, "RUNNING", later, self.rows, timeout=FILL_S)
            await connection.execute(_LOCKS, timeout=FILL_S)
            await connection.execute("VACUUM ANALYZE", timeout=FILL_S)
            await connection.execute("CHECKPOINT", timeout=FILL_S)
        finally:
            await connection.close(timeout=10)


def beside_many(postgres_url: str, kafka: str, servers: Mapping[str, int]) -> list[Measurement]:
    """CPU of a saga beside so many rows, against the fewest."""
    found: list[Measurement] = []
    first: dict[str, float] = {}
    for rows in ROWS:
        figures = saga_throughput.measure(
            postgres_url,
            kafka,
            total=SAGAS,
            in_flight=IN_FLIGHT,
            servers=servers,
            filled=Filled(rows),
        )
        first = first or figures
        how = f"{SAGAS} sagas, {IN_FLIGHT} in flight; {figures['sagas_per_s']:.0f}/s"
        found += [
            Measurement(
                f"{who} CPU, {rows:,} rows of each kind",
                figures[f"{who}_cpu_ms"],
                first[f"{who}_cpu_ms"],
                "ms/saga",
                f"beside {ROWS[0]:,}",
                how,
            )
            for who in ("orchestrator", "postgres")
        ]
    return found


def two_of_each(postgres_url: str, kafka: str, servers: Mapping[str, int]) -> list[Measurement]:
    """Two orchestrators and two participants against one of each on the same cores. That every
    saga ended and every effect came once is asserted."""

    def run(pairs: int) -> dict[str, float]:
        return saga_throughput.measure(
            postgres_url,
            kafka,
            total=SAGAS_OF_PAIRS,
            in_flight=IN_FLIGHT,
            servers=servers,
            pairs=pairs,
        )

    one, two = run(1), run(2)
    how = f"{SAGAS_OF_PAIRS} sagas, {IN_FLIGHT} in flight, ends counted in the store, effects exact"
    return [
        Measurement(
            "two of each, throughput", _rate(two), _rate(one), "sagas/s", "one of each", how
        ),
        Measurement(
            "two of each, Postgres CPU",
            two["postgres_cpu_ms"],
            one["postgres_cpu_ms"],
            "ms/saga",
            "one of each",
            how,
        ),
    ]


def _rate(figures: Mapping[str, float]) -> float:
    return figures["sagas_per_s"]
