"""Long work on a real Postgres: progress, refusal, recovery after kill -9."""

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import UUID

import asyncpg
import httpx
import pytest

from chassis.clock import new_id
from tests.chassis.toy.place import CLOCK, Place, Process, a_place
from tests.chassis.toy.service import VALUE_MAX

Json = dict[str, object]


@pytest.fixture
async def place(fresh_database: str, kafka_bootstrap: str) -> Place:
    return await a_place(fresh_database, kafka_bootstrap)


@pytest.fixture
async def processes(place: Place) -> AsyncIterator[Callable[..., Process]]:
    started: list[Process] = []

    def start(**variables: str) -> Process:
        started.append(Process(place, **({"work_lease_ms": "1500"} | variables)))
        return started[-1]

    yield start
    for process in started:
        await process.close()


class Climb:
    """One slow count, begun at a process and watched there."""

    def __init__(self, steps: int) -> None:
        self.ids: dict[str, object] = {"workspace_id": new_id(), "counter_id": new_id()}
        self.operation_id = new_id()
        self.steps = steps

    async def begin(self, process: Process) -> Json:
        response = await process.send(
            "CountSlowly", operation_id=self.operation_id, steps=self.steps, **self.ids
        )
        assert response.status_code == 200, response.text
        data: Json = response.json()["data"]
        return data

    async def look(self, process: Process) -> Json:
        response = await process.ask(
            "GetOperation",
            workspace_id=self.ids["workspace_id"],
            operation_id=self.operation_id,
        )
        data: Json = response.json()["data"]
        return data

    async def cancel(self, process: Process) -> httpx.Response:
        return await process.send(
            "CancelOperation",
            workspace_id=self.ids["workspace_id"],
            operation_id=self.operation_id,
        )

    async def until(self, process: Process, reached: Callable[[Json], bool]) -> Json:
        async with asyncio.timeout(20):
            while not reached(shown := await self.look(process)):
                await CLOCK.sleep(0.02)
        return shown

    async def value(self, process: Process) -> int:
        response = await process.ask("GetCounter", **self.ids)
        return int(response.json()["data"]["value"])


def is_ended(operation: Json) -> bool:
    return bool(operation["finished_at"])


async def test_it_is_begun_at_once_shows_progress_and_has_a_result(
    processes: Callable[..., Process],
) -> None:
    process = processes(step_pause_s="0.02")
    await process.ready()
    climb = Climb(steps=40)

    begun = await climb.begin(process)
    half = await climb.until(process, lambda operation: operation["done"] not in (0, 40))
    ended = await climb.until(process, is_ended)

    assert (begun["state"], begun["done"]) == ("RUNNING", 0)
    assert (half["step"], half["total"]) == ("climbing", 40)
    assert (ended["state"], ended["done"], ended["owner"]) == ("COMPLETED", 40, "toy")
    assert ended["result"]["value"] == 40  # type: ignore[index]  # JSON
    assert await climb.value(process) == 40


async def test_a_worker_may_refuse(processes: Callable[..., Process]) -> None:
    process = processes()
    await process.ready()
    climb = Climb(steps=VALUE_MAX + 1)

    await climb.begin(process)
    ended = await climb.until(process, is_ended)

    assert (ended["state"], ended["error_type"]) == ("REFUSED", "toy.TooHigh.v1")
    assert ended["error"] == {"value_max": VALUE_MAX}
    assert await climb.value(process) == 0


async def test_after_kill_9_another_process_does_it_once(
    processes: Callable[..., Process],
) -> None:
    first = processes(step_pause_s="0.05")
    await first.ready()
    climb = Climb(steps=30)
    await climb.begin(first)
    await climb.until(first, lambda operation: int(str(operation["done"])) > 5)

    first.kill9()
    second = processes(step_pause_s="0.001")
    await second.ready()
    ended = await climb.until(second, is_ended)

    assert ended["state"] == "COMPLETED"
    assert await climb.value(second) == 30


async def test_a_process_that_stops_hands_its_work_over_at_once(
    processes: Callable[..., Process],
) -> None:
    first = processes(step_pause_s="10", work_lease_ms="60000")
    await first.ready()
    climb = Climb(steps=3)
    await climb.begin(first)
    await CLOCK.sleep(0.3)

    first.terminate()
    code = await first.ended()
    second = processes(step_pause_s="0.001", work_lease_ms="60000")
    await second.ready()
    ended = await climb.until(second, is_ended)

    assert (code, ended["state"]) == (0, "COMPLETED")


async def test_what_is_promised_is_carried_out_without_working_again(
    place: Place, processes: Callable[..., Process]
) -> None:
    climb = Climb(steps=7)
    await a_promise(place, climb)

    process = processes(step_pause_s="1000")
    await process.ready()
    ended = await climb.until(process, is_ended)

    assert (ended["state"], await climb.value(process)) == ("COMPLETED", 7)


async def test_work_that_takes_its_process_down_each_time_needs_attention(
    place: Place, processes: Callable[..., Process]
) -> None:
    climb = Climb(steps=7)
    await a_promise(place, climb, attempts=5, command="")

    process = processes()
    await process.ready()
    shown = await climb.until(process, lambda operation: operation["state"] != "RUNNING")

    assert shown["state"] == "NEEDS_ATTENTION"
    assert shown["finished_at"] is None


async def test_it_can_be_cancelled_until_its_final_command(
    processes: Callable[..., Process],
) -> None:
    process = processes(step_pause_s="0.05")
    await process.ready()
    climb, other = Climb(steps=1000), Climb(steps=1)
    begun = await climb.begin(process)
    await climb.until(process, lambda operation: int(str(operation["done"])) > 2)
    await other.begin(process)
    await other.until(process, is_ended)

    cancelled = [await climb.cancel(process) for _ in range(2)]
    refused = await other.cancel(process)
    unknown = await Climb(steps=1).cancel(process)
    await CLOCK.sleep(0.3)
    shown = await climb.look(process)

    assert begun["cancellable"] is True
    assert [response.json()["data"]["state"] for response in cancelled] == ["COMPENSATED"] * 2
    assert refused.json()["type"] == "operation.OperationNotCancellable.v1"
    assert unknown.json()["type"] == "operation.OperationUnknown.v1"
    assert (shown["state"], shown["cancellable"]) == ("COMPENSATED", False)
    assert shown["version"] == cancelled[0].json()["data"]["version"]
    assert await climb.value(process) == 0


async def test_operations_are_listed_newest_first_and_by_workspace(
    processes: Callable[..., Process],
) -> None:
    process = processes(step_pause_s="0")
    await process.ready()
    climbs = [Climb(steps=1) for _ in range(5)]
    for climb in climbs:
        climb.ids["workspace_id"] = climbs[0].ids["workspace_id"]
        await climb.begin(process)
    await Climb(steps=1).begin(process)

    pages: list[str] = []
    cursor = ""
    for _ in range(3):
        response = await process.ask(
            "ListOperations", workspace_id=climbs[0].ids["workspace_id"], limit=2, cursor=cursor
        )
        page = response.json()["data"]
        pages += [operation["operation_id"] for operation in page["operations"]]
        cursor = page["cursor_next"]

    assert pages == [str(climb.operation_id) for climb in reversed(climbs)]
    assert cursor == ""


async def test_another_workspace_sees_nothing(processes: Callable[..., Process]) -> None:
    process = processes(step_pause_s="0")
    await process.ready()
    climb = Climb(steps=1)
    await climb.begin(process)

    response = await process.ask(
        "GetOperation", workspace_id=new_id(), operation_id=climb.operation_id
    )

    assert (response.status_code, response.json()["type"]) == (
        422,
        "operation.OperationUnknown.v1",
    )


async def a_promise(
    place: Place, climb: Climb, *, attempts: int = 1, command: str | None = None
) -> None:
    """A row as a process leaves it that died at some point of the work."""
    workspace_id, counter_id = UUID(str(climb.ids["workspace_id"])), climb.ids["counter_id"]
    final = f'{{"workspace_id": "{workspace_id}", "counter_id": "{counter_id}", "by": 7}}'
    connection = await asyncpg.connect(place.postgres_url, timeout=10)
    await connection.execute(
        "INSERT INTO operation (operation_id, workspace_id, kind, state, attempts, command_type,"
        " command, lease_owner, lease_until)"
        " VALUES ($1, $2, 'count_slowly', 'RUNNING', $3, 'toy.Count.v1', $4, 'dead', now())",
        climb.operation_id,
        workspace_id,
        attempts,
        final if command is None else command,
        timeout=10,
    )
    await connection.close()
