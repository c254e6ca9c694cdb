"""The functions that the chassis's migrations create, in Python."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from chassis.testing.simulation.postgres.sql.scope import Procedure, Run
from chassis.testing.simulation.postgres.sql.values import EVER_AGO
from chassis.testing.simulation.postgres.tables import Row, Table


def relay_tick(run: Run, args: Sequence[Any]) -> list[tuple[int, int]]:
    """See the migration: prolong, and take or give up until all have their fair share."""
    me, lease, shards, renumber = args
    until = run.now + lease
    members, leases = run.tables["relay_member"], run.tables["relay_lease"]
    change = run.transaction
    change.put(members, me, {"owner": me, "until": until})
    for row in list(members.rows.values()):
        if row["until"] < run.now - timedelta(minutes=1):
            change.put(members, row["owner"], None)
    if len(leases.rows) < shards:
        for shard in range(shards):
            if shard not in leases.rows:
                change.put(leases, shard, _lease(shard))
    held = [row for row in leases.rows.values() if row["owner"] == me]
    for row in held:
        epoch = row["epoch"] + (row["shard"] in renumber)
        change.put(leases, row["shard"], row | {"until": until, "epoch": epoch})
    living = sum(row["until"] > run.now for row in members.rows.values())
    fair = -(-shards // living)
    if len(held) > fair:
        spare = sorted((row["shard"] for row in held), reverse=True)[: len(held) - fair]
        for shard in spare:
            gone: Row = {"owner": None, "until": EVER_AGO}
            change.put(leases, shard, leases.rows[shard] | gone)
    elif len(held) < fair:
        _take(run, leases, args, until, fair - len(held))
    return [(r["shard"], r["epoch"]) for r in leases.rows.values() if r["owner"] == me]


def _take(run: Run, leases: Table, args: Sequence[Any], until: datetime, most: int) -> None:
    me, _, shards, _ = args
    free = sorted(
        row["shard"]
        for row in leases.rows.values()
        if row["shard"] < shards and row["until"] < run.now and row["owner"] != me
    )
    for shard in free[:most]:
        old = leases.rows[shard]
        taken: Row = {"owner": me, "epoch": old["epoch"] + 1, "until": until}
        run.transaction.put(leases, shard, old | taken)


def _lease(shard: int) -> Row:
    return {"shard": shard, "owner": None, "epoch": 0, "until": EVER_AGO}


def no_partitions(run: Run, args: Sequence[Any]) -> None:
    """saga_event_partitions: the simulated table needs none."""


def expect(run: Run, args: Sequence[Any]) -> Any:
    """basalt_expect is applied by the server itself; nobody calls it."""
    raise AssertionError("only a Statement expects")


PROCEDURES: dict[str, Procedure] = {
    "relay_tick": relay_tick,
    "saga_event_partitions": no_partitions,
    "basalt_expect": expect,
}
