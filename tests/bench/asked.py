"""Who uses whom, asked and renamed through the doors of a running platform.

Each question in turn with the least that could be asked: a bare round trip through the gateway, and
one `SELECT 1`. Wall times of a shared machine: the lower quartile counts, and the median is told.
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
from services.studio.references.graph import NAMED
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
PLATFORM = "{ __typename }"
DEPENDENCIES = """query($app: ID!, $of: ID!) { app(id: $app) { dependencies(of: $of) {
    entityId name kind distance places { path start end } } } }"""
SOURCE = "query($id: ID!) { node(id: $id) { ... on Entity { version source } } }"
PERMISSION = "workspace.read"
MINUTE = timedelta(minutes=1)


@dataclass
class Times:
    """Milliseconds, ours and the peer's, taken in turn."""

    ours: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)

    async def take(self, ours: Callable[[], Awaitable[object]]) -> None:
        self.ours.append(await timed(ours))

    def measurement(self, what: str, against: str, how: str) -> Measurement:
        ordered = sorted(self.ours)
        told = f"{how}; median {ordered[len(ordered) // 2]:.1f}, worst {ordered[-1]:.1f}"
        peer = quartile(self.peer) if self.peer else None
        return Measurement(what, quartile(self.ours), peer, "ms", against, told)


async def timed(work: Callable[[], Awaitable[object]]) -> float:
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


def most_used(app: App) -> Entity:
    """Of what can be renamed, that which most code names."""
    counted = {
        entity_id: len(ties)
        for read in whole_graph(app).values()
        for entity_id, ties in read.graph.incoming.items()
        if read.graph.entities[entity_id].kind in NAMED
    }
    found = app.find(max(counted, key=lambda one: counted[one]))
    assert found is not None, "it is one of the app's"
    return found


@dataclass
class Bench:
    """What is measured: one app in one platform, and its most used entity."""

    platform: Platform
    client: Client
    doors: Gateway
    app_id: str
    entity_id: str
    name: str

    async def bare(self) -> None:
        await self.client.ask(PLATFORM)

    async def dependencies(self) -> None:
        data = await self.client.ask(DEPENDENCIES, app=self.app_id, of=self.entity_id)
        assert data["app"]["dependencies"], "it is used"

    async def edit(self, number: int) -> None:
        """Its own source changes, so that its page is another one."""
        node = (await self.client.ask(SOURCE, id=self.entity_id))["node"]
        source = {**node["source"], "benchNote": f"note {number}"}
        given = {"entityId": self.entity_id, "expectedVersion": node["version"], "source": source}
        await self.client.done(CHANGE_ENTITY, "EntityChanged", **given)


async def _measured(files: Mapping[str, bytes], platform: Platform) -> list[Measurement]:
    app = parse(files)
    entity = most_used(app)
    client = Client(platform.gateway)
    try:
        doors = Gateway(client)
        await doors.settle()
        app_id = await doors.bring("Large", files)
        wanted = (entity.kind.value.upper(), entity.path, entity.name)
        listed = await doors.entities(app_id)
        (entity_id,) = (e.entity_id for e in listed if (e.kind, e.path, e.name) == wanted)
        bench = Bench(platform, client, doors, app_id, entity_id, entity.name)
        for _ in range(WARM):
            await bench.bare()
            await bench.dependencies()
        return [
            await _renames(bench, unused_name(app)),
            *await _questions(bench),
            *await _at_studios_door(bench),
        ]
    finally:
        await client.close()


async def _renames(bench: Bench, new: str) -> Measurement:
    """There and back, each a rename."""
    times, changes = Times(), 0
    here, name = bench.entity_id, new
    for _ in range(RENAMED):
        version = await bench.doors.version(here)
        times.peer.append(await timed(bench.bare))
        began = time.perf_counter()
        done = await bench.doors.rename(here, version, name, dry=False)
        times.ours.append((time.perf_counter() - began) * 1000)
        here, changes = done.entity_id, len(done.changes)
        name = bench.name if name == new else new
    how = f"{RENAMED} renames of the most used entity, {changes} places each"
    return times.measurement("rename, through the gateway", "{ __typename }", how)


async def _questions(bench: Bench) -> list[Measurement]:
    repeated, first = Times(), Times()
    processes = [bench.platform.processes[(name, 0)].pid for name in ("studio", "gateway")]
    for _ in range(ASKED):
        repeated.peer.append(await timed(bench.bare))
        await repeated.take(bench.dependencies)
    used = [-cpu_s(pid) for pid in processes]
    for _ in range(ASKED):
        await bench.dependencies()
    used = [(spent + cpu_s(pid)) * 1000 / ASKED for spent, pid in zip(used, processes, strict=True)]
    for number in range(EDITED):
        await bench.edit(number)
        first.peer.append(await timed(bench.bare))
        await first.take(bench.dependencies)
    cpu = f"{ASKED} times; CPU of studio {used[0]:.1f} ms, of gateway {used[1]:.1f}"
    against = "{ __typename }"
    after = f"{EDITED} times, each right after an edit of its page"
    return [
        repeated.measurement("dependencies, gateway", against, cpu),
        first.measurement("dependencies, gateway, after an edit", against, after),
    ]


async def _at_studios_door(bench: Bench) -> list[Measurement]:
    """As the gateway asks it."""
    place = decode(bench.entity_id, "Entity")
    query = GetDependencies.model_validate(place.fields)
    body, key = query.model_dump_json(), bench.platform.stack.secret().encode()
    clock = SystemClock()
    postgres = await asyncpg.connect(f"{bench.platform.servers.postgres_url}/postgres", timeout=10)
    async with httpx.AsyncClient(base_url=bench.platform.stack.url("studio")) as http:

        async def ask() -> None:
            context = Context(None, place.workspace_id, PERMISSION, clock.now() + MINUTE)
            headers = {"basalt-context": sign(context, key), "content-type": "application/json"}
            answer = await http.post("/queries/GetDependencies", content=body, headers=headers)
            assert answer.status_code == 200, answer.text
            assert b"distance" in answer.content, "it is used"

        async def select() -> None:
            await postgres.fetchval("SELECT 1", timeout=10)

        try:
            repeated, first = Times(), Times()
            for _ in range(ASKED):
                repeated.peer.append(await timed(select))
                await repeated.take(ask)
            for number in range(EDITED):
                await bench.edit(-1 - number)
                first.peer.append(await timed(select))
                await first.take(ask)
        finally:
            await postgres.close(timeout=5)
    return [
        repeated.measurement("dependencies, studio's door", "SELECT 1", f"{ASKED} times"),
        first.measurement(
            "dependencies, studio's door, after an edit",
            "SELECT 1",
            f"{EDITED} times, each right after an edit of its page",
        ),
    ]
