"""Who uses whom, asked and renamed through the doors of a running platform.

Each question in turn with the least that could be asked: a bare round trip through the gateway, and
one `SELECT 1`. Asked about the entity that most code names, whose answer is long, and about one
that as much code names as most. Wall times of a shared machine: the lower quartile counts, and the
median is told, and the CPU.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg
import httpx

from chassis.clock import SystemClock
from chassis.context import Context, sign
from contracts.studio.app import GetDependencies
from services.gateway.ids import decode
from services.studio.appsmith import App, Entity, parse
from services.studio.appsmith.entities import NAMED
from tests.bench.references import quartile, whole_graph
from tests.bench.table import Measurement
from tests.bench.usage import cpu_s
from tests.flows.platform import Platform
from tests.realapps.doors import Gateway
from tests.realapps.renaming import unused_name
from tests.servers import Servers
from tools.journey.client import Client
from tools.journey.documents import CHANGE_ENTITY

ASKED, EDITED, RENAMED, WARM = 200, 30, 12, 20
PLATFORM, SELECT = "{ __typename }", "SELECT 1"
DEPENDENCIES = """query($app: ID!, $of: ID!) { app(id: $app) { dependencies(of: $of) {
    entityId name kind distance places { path start end } } } }"""
SOURCE = "query($id: ID!) { node(id: $id) { ... on Entity { version source } } }"
PERMISSION = "workspace.read"
MINUTE = timedelta(minutes=1)

Work = Callable[[], Awaitable[object]]


@dataclass
class Times:
    """Milliseconds, ours and the peer's, taken in turn; and the CPU of studio and gateway."""

    pids: tuple[int, int]
    ours: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)
    ours_cpu: list[float] = field(default_factory=lambda: [0.0, 0.0])
    peer_cpu: list[float] = field(default_factory=lambda: [0.0, 0.0])

    async def take(self, ours: Work, peer: Work, count: int, before: Work | None = None) -> None:
        """So many times; `before` each comes what is not measured."""
        for _ in range(count):
            if before is not None:
                await before()
            self.peer.append(await self._timed(peer, self.peer_cpu))
            self.ours.append(await self._timed(ours, self.ours_cpu))

    async def _timed(self, work: Work, spent: list[float]) -> float:
        began = [cpu_s(pid) for pid in self.pids]
        ms = await timed(work)
        for place, pid in enumerate(self.pids):
            spent[place] += (cpu_s(pid) - began[place]) * 1000
        return ms

    def measurement(self, what: str, against: str, how: str) -> Measurement:
        ordered = sorted(self.ours)
        count = len(ordered)
        cpu, bare = (
            f"studio {spent[0] / count:.1f}, gateway {spent[1] / count:.1f}"
            for spent in (self.ours_cpu, self.peer_cpu)
        )
        told = (
            f"{how}, {count} times; median {ordered[count // 2]:.1f}, worst {ordered[-1]:.1f};"
            f" CPU: {cpu} ms; of the peer: {bare}"
        )
        return Measurement(what, quartile(ordered), quartile(self.peer), "ms", against, told)


async def timed(work: Work) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1000


def through_the_doors(files: Mapping[str, bytes], servers: Servers) -> list[Measurement]:
    """A platform of one of each, on servers that run."""
    platform = Platform(servers, replicas=1)
    try:
        platform.start()
        found = asyncio.run(_measured(files, platform))
        platform.stop()
    finally:
        for name, replica in list(platform.processes):
            platform.kill9(name, replica)
    return found


def used_most_and_as_most(app: App) -> tuple[Entity, Entity]:
    """Of what can be renamed: that which most code names, and the median one."""
    counted = {
        entity_id: len(ties)
        for read in whole_graph(app).values()
        for entity_id, ties in read.graph.incoming.items()
        if read.graph.entities[entity_id].kind in NAMED
    }
    ordered = sorted(counted, key=lambda one: counted[one])
    most, median = app.find(ordered[-1]), app.find(ordered[len(ordered) // 2])
    assert most is not None, "it is one of the app's"
    assert median is not None, "it is one of the app's"
    return most, median


@dataclass
class Bench:
    """What is measured: one app in one platform."""

    platform: Platform
    client: Client
    doors: Gateway
    app_id: str
    edits: int = 0

    def times(self) -> Times:
        studio, gateway = (self.platform.processes[(n, 0)].pid for n in ("studio", "gateway"))
        return Times((studio, gateway))

    async def bare(self) -> None:
        await self.client.ask(PLATFORM)

    def asking(self, entity_id: str) -> Work:
        """Who uses it, with all places."""

        async def ask() -> None:
            data = await self.client.ask(DEPENDENCIES, app=self.app_id, of=entity_id)
            assert data["app"]["dependencies"], "it is used"

        return ask

    def editing(self, entity_id: str) -> Work:
        """Its own source changes, so that its page is another one."""

        async def edit() -> None:
            node = (await self.client.ask(SOURCE, id=entity_id))["node"]
            self.edits += 1
            source = {**node["source"], "benchNote": f"note {self.edits}"}
            given = {"entityId": entity_id, "expectedVersion": node["version"], "source": source}
            await self.client.done(CHANGE_ENTITY, "EntityChanged", **given)

        return edit


async def _measured(files: Mapping[str, bytes], platform: Platform) -> list[Measurement]:
    app = parse(files)
    client = Client(platform.gateway)
    try:
        doors = Gateway(client)
        await doors.settle()
        bench = Bench(platform, client, doors, await doors.bring("Large", files))
        listed = await doors.entities(bench.app_id)
        ids = {(one.kind.lower(), one.path, one.name): one.entity_id for one in listed}
        most, median = used_most_and_as_most(app)
        named = [(one.name, ids[one.kind.value, one.path, one.name]) for one in (most, median)]
        for _, entity_id in named * WARM:
            await bench.asking(entity_id)()
        found = [await _renames(bench, named[0], unused_name(app))]
        for which, (_, entity_id) in zip(("the most used", "a usual one"), named, strict=True):
            found += await _questions(bench, f"who uses {which}", entity_id)
            found += await _at_studios_door(bench, f"who uses {which}", entity_id)
        return found
    finally:
        await client.close()


async def _renames(bench: Bench, entity: tuple[str, str], new: str) -> Measurement:
    """There and back, each a rename."""
    times = bench.times()
    name, here = entity
    version, wanted, changes = 0, new, 0

    async def look() -> None:
        nonlocal version
        version = await bench.doors.version(here)

    async def rename() -> None:
        nonlocal here, wanted, changes
        done = await bench.doors.rename(here, version, wanted, dry=False, texts=False)
        here, changes = done.entity_id, len(done.changes)
        wanted = name if wanted == new else new

    await times.take(rename, bench.bare, RENAMED, before=look)
    how = f"{changes} places each"
    return times.measurement("rename of the most used, gateway", PLATFORM, how)


async def _questions(bench: Bench, what: str, entity_id: str) -> list[Measurement]:
    repeated, first = bench.times(), bench.times()
    ask = bench.asking(entity_id)
    await repeated.take(ask, bench.bare, ASKED)
    await first.take(ask, bench.bare, EDITED, before=bench.editing(entity_id))
    return [
        repeated.measurement(f"{what}, gateway", PLATFORM, "all places"),
        first.measurement(f"{what}, gateway, edited", PLATFORM, "right after an edit of its page"),
    ]


async def _at_studios_door(bench: Bench, what: str, entity_id: str) -> list[Measurement]:
    """As the gateway asks it."""
    query = GetDependencies.model_validate(decode(entity_id, "Entity").fields)
    body, key = query.model_dump_json(), bench.platform.stack.secret().encode()
    clock = SystemClock()
    postgres = await asyncpg.connect(f"{bench.platform.servers.postgres_url}/postgres", timeout=10)
    async with httpx.AsyncClient(base_url=bench.platform.stack.url("studio")) as http:

        async def ask() -> None:
            context = Context(None, query.workspace_id, PERMISSION, clock.now() + MINUTE)
            headers = {"basalt-context": sign(context, key), "content-type": "application/json"}
            answer = await http.post("/queries/GetDependencies", content=body, headers=headers)
            assert answer.status_code == 200, answer.text
            assert b"distance" in answer.content, "it is used"

        async def select() -> None:
            await postgres.fetchval(SELECT, timeout=10)

        try:
            repeated, first = bench.times(), bench.times()
            await repeated.take(ask, select, ASKED)
            await first.take(ask, select, EDITED, before=bench.editing(entity_id))
        finally:
            await postgres.close(timeout=5)
    return [
        repeated.measurement(f"{what}, studio", SELECT, "all places"),
        first.measurement(f"{what}, studio, edited", SELECT, "right after an edit of its page"),
    ]
