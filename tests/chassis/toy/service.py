"""A small but whole service, for tests of the chassis: model, store, handlers, views, a worker."""

import ctypes
import signal
import sys
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from chassis.clock import Clock
from chassis.errors import Rejected, Unavailable
from chassis.service import Service
from chassis.settings import ServiceSettings
from chassis.stores.aggregates import AggregateStore
from chassis.stores.postgres import Database
from chassis.work import Job, Operations
from contracts.operation import Operation
from tests.chassis.toy.contracts.toy.counter import (
    Count,
    Counted,
    CountQuietly,
    CountSlowly,
    GetCounter,
    Reading,
    TooHigh,
    Unlock,
)

VALUE_MAX = 1_000_000
_DIE_WITH_PARENT = 1  # prctl's PR_SET_PDEATHSIG
TABLE = (
    "CREATE TABLE counter (id uuid PRIMARY KEY, workspace_id uuid, revision bigint NOT NULL,"
    " version bigint NOT NULL, state jsonb NOT NULL)"
)


class Settings(ServiceSettings):
    """`step_pause_s` is how long a step of slow counting takes, in seconds."""

    step_pause_s: float = 0.01


@dataclass
class Counter:
    """A number."""

    counter_id: UUID
    workspace_id: UUID
    value: int = 0


class Counters(Protocol):
    async def get(self, counter_id: UUID) -> Counter | None: ...
    def save(self, counter: Counter) -> None: ...


class SqlCounters(AggregateStore[Counter]):
    table = "counter"
    aggregate = Counter
    announces = "counter"

    @staticmethod
    def key(counter: Counter) -> UUID:
        return counter.counter_id


async def count(command: Count, counters: Counters) -> Counted:
    """Up by some."""
    return await _count(counters, command.workspace_id, command.counter_id, command.by)


async def count_quietly(command: CountQuietly, counters: Counters) -> Counted:
    """Up by one."""
    return await _count(counters, command.workspace_id, command.counter_id, 1)


async def count_slowly(command: CountSlowly, operations: Operations) -> Operation:
    """Later."""
    return operations.begin(
        operation_id=command.operation_id,
        kind="count_slowly",
        workspace_id=command.workspace_id,
        subject_id=str(command.counter_id),
        input=command.model_dump(mode="json"),
    )


async def unlock(command: Unlock, clock: Clock) -> Reading:
    """Fails loudly, to see what reaches the log."""
    if command.password.startswith("down"):
        raise Unavailable("the locksmith is away")
    raise RuntimeError(f"cannot unlock: password={command.password}")


async def climb(job: Job, settings: Settings, clock: Clock) -> Count:
    """The worker: steps, each a little slow."""
    command = CountSlowly.model_validate(job.input)
    if command.steps > VALUE_MAX:
        raise Rejected(TooHigh(value_max=VALUE_MAX))
    for number in range(1, command.steps + 1):
        await clock.sleep(settings.step_pause_s)
        await job.progress(number, command.steps, "climbing")
    return Count(workspace_id=job.workspace_id, counter_id=command.counter_id, by=command.steps)


async def get_counter(query: GetCounter, database: Database) -> Reading:
    """Straight from the table."""
    value = await database.fetchval(
        "SELECT (state->>'value')::bigint FROM counter WHERE id = $1 AND workspace_id = $2",
        query.counter_id,
        query.workspace_id,
    )
    return Reading(value=value or 0)


async def _count(counters: Counters, workspace_id: UUID, counter_id: UUID, by: int) -> Counted:
    counter = await counters.get(counter_id) or Counter(counter_id, workspace_id)
    if counter.value + by > VALUE_MAX:
        raise Rejected(TooHigh(value_max=VALUE_MAX))
    counter.value += by
    counters.save(counter)
    return Counted(workspace_id=workspace_id, counter_id=counter_id, value=counter.value)


service = Service(
    name="toy",
    settings=Settings,
    handlers=(count, count_quietly, count_slowly, unlock),
    views=(get_counter,),
    provides={Counters: SqlCounters},
    stores=("postgres",),
    workers={"count_slowly": climb},
)

if __name__ == "__main__":
    if sys.platform == "linux":  # a test that is killed leaves nothing behind
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    service.run()
