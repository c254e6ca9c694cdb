"""Long work on both PostgreSQLs: its rows, and the leases that fence them."""

from uuid import UUID

import pytest

from chassis.clock import SystemClock, new_id
from chassis.resources import Resources
from chassis.stores.postgres import Database, Reading, Statement
from chassis.work.job import Job, LeaseLost
from chassis.work.leases import WorkLeases
from chassis.work.operations import Operations
from contracts.operation import Operation, OperationState


def operations(database: Database) -> Operations:
    return Operations(Resources(None, SystemClock(), opened={"postgres": database}, service="x"))


async def begun(database: Database) -> UUID:
    chunk, operation_id, statement = operations(database), new_id(), Statement()
    chunk.begin(operation_id=operation_id, kind="import", workspace_id=new_id(), input={"a": [1]})
    chunk.flush(statement)
    await statement.run(database)
    return operation_id


async def read(database: Database, operation_id: UUID) -> Operation:
    chunk, reading = operations(database), Reading()
    chunk.reads(reading, [str(operation_id)])
    await reading.run(database)
    return chunk._known[operation_id]


async def claimed(database: Database, lease_s: float = 60.0) -> Job | None:
    found = await WorkLeases(database, SystemClock(), lease_s).claim(["import"])
    return found[0] if found else None


async def test_the_oldest_that_nobody_does_is_claimed(either: Database) -> None:
    first, second = await begun(either), await begun(either)

    jobs = [await claimed(either) for _ in range(3)]

    assert [job and job.operation_id for job in jobs] == [first, second, None]
    assert jobs[0] is not None
    assert (jobs[0].input, jobs[0].attempt) == ({"a": [1]}, 1)


async def test_a_lost_lease_writes_nothing(either: Database) -> None:
    operation_id = await begun(either)
    slow = await claimed(either)
    assert slow is not None
    await either.execute("UPDATE operation SET lease_until = now() - interval '1 second'")
    heir = await claimed(either)
    assert heir is not None
    assert heir.attempt == 2
    slow.done = slow.total = 9

    with pytest.raises(LeaseLost):
        await slow.writes.write(slow)

    heir.done, heir.total, heir.step = 3, 5, "half"
    await heir.writes.write(heir)
    operation = await read(either, operation_id)
    assert (operation.done, operation.total, operation.step) == (3, 5, "half")
    assert (operation.state, operation.cancellable) == (OperationState.RUNNING, True)
