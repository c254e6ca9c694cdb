"""The functions that the chassis's migrations create, in Python."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from chassis.testing.simulation.postgres.sql.scope import Procedure, Run
from chassis.testing.simulation.postgres.sql.values import EVER_AGO
from chassis.testing.simulation.postgres.tables import Row, Table


def relay_tick(run: Run, args: Sequence[Any]) -> list[tuple[int, int]]:
    """See the migration: prolong, give up what only others wish, take what is wished and free,
    and share the rest out fairly."""
    me, lease, shards, renumber, wishes = args
    until = run.now + lease
    members, leases = run.tables["relay_member"], run.tables["relay_lease"]
    change = run.transaction
    change.put(members, me, {"owner": me, "until": until, "wished": wishes})
    for row in list(members.rows.values()):
        if row["until"] < run.now - timedelta(minutes=1):
            change.put(members, row["owner"], None)
    if len(leases.rows) < shards:
        for shard in range(shards):
            if shard not in leases.rows:
                change.put(leases, shard, _lease(shard))
    for row in [row for row in leases.rows.values() if row["owner"] == me]:
        epoch = row["epoch"] + (row["shard"] in renumber)
        change.put(leases, row["shard"], row | {"until": until, "epoch": epoch})
    living = [row for row in members.rows.values() if row["until"] > run.now]
    wished = {shard for row in living for shard in row["wished"]}
    _give_up(run, leases, [s for s in _held(leases, me) if s in wished and s not in wishes])
    _take(run, leases, me, until, sorted(wishes))
    rest = sorted(row["shard"] for row in leases.rows.values() if row["shard"] not in wished)
    fair = -(-len(rest) // len(living))
    held = [shard for shard in rest if leases.rows[shard]["owner"] == me]
    _give_up(run, leases, held[fair:])
    if len(held) < fair:
        _take(run, leases, me, until, rest, fair - len(held))
    return [(shard, leases.rows[shard]["epoch"]) for shard in _held(leases, me)]


def _held(leases: Table, me: str) -> list[int]:
    return [row["shard"] for row in leases.rows.values() if row["owner"] == me]


def _give_up(run: Run, leases: Table, shards: Sequence[int]) -> None:
    for shard in shards:
        gone: Row = {"owner": None, "until": EVER_AGO}
        run.transaction.put(leases, shard, leases.rows[shard] | gone)


def _take(
    run: Run,
    leases: Table,
    me: str,
    until: datetime,
    shards: Sequence[int],
    most: int | None = None,
) -> None:
    free = [
        shard
        for shard in shards
        if leases.rows[shard]["until"] < run.now and leases.rows[shard]["owner"] != me
    ]
    for shard in free[:most]:
        old = leases.rows[shard]
        taken: Row = {"owner": me, "epoch": old["epoch"] + 1, "until": until}
        run.transaction.put(leases, shard, old | taken)


def _lease(shard: int) -> Row:
    return {"shard": shard, "owner": None, "epoch": 0, "until": EVER_AGO}


def no_partitions(run: Run, args: Sequence[Any]) -> Any:
    """Whatever makes, counts or drops partitions: the simulated tables are whole."""
    return 0


def partitions_until(run: Run, args: Sequence[Any]) -> datetime:
    """id_partitions: it needs none, so they lack from now on."""
    return run.now


def inbox_forget(run: Run, args: Sequence[Any]) -> int:
    """See the migration, with every row in the default partition."""
    keep, most = args
    inbox = run.tables["inbox"]
    old = [row for row in inbox.rows.values() if row["at"] < run.now - keep][:most]
    for row in old:
        run.transaction.delete(inbox, row)
    return len(old)


def expect(run: Run, args: Sequence[Any]) -> Any:
    """basalt_expect is applied by the server itself; nobody calls it."""
    raise AssertionError("only a Statement expects")


PROCEDURES: dict[str, Procedure] = {
    "relay_tick": relay_tick,
    "inbox_forget": inbox_forget,
    "id_partitions": partitions_until,
    **dict.fromkeys(
        (
            *("saga_event_partitions", "partition_by_id", "drop_id_partitions", "prune_sagas"),
            *("id_floor", "id_moment", "inbox_horizon", "inbox_drop"),
        ),
        no_partitions,
    ),
    "basalt_expect": expect,
}
