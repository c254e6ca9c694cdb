"""Billing, delivery and activity run for real: Kafka in, facts out, one feed, files over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from chassis.clock import SystemClock, new_id
from chassis.context import Context, sign
from chassis.messaging.envelope import wire_headers
from chassis.provision import Plan, database_url, provision
from chassis.running import Running
from chassis.service import Service
from chassis.stores.blobs import FolderBlobs
from contracts.base import Command
from contracts.billing.account import CommitQuota, OpenAccount, ReserveQuota
from contracts.catalogue import EVENT_TOPICS
from contracts.delivery.environment import Environment
from contracts.delivery.release import StageRelease, SwitchLivePointer
from services.activity.main import service as activity
from services.billing.main import service as billing
from services.delivery.main import service as delivery
from tests.servers import Servers
from tests.services.delivery.fakes import PAGES, put_bundle
from tests.services.participant import an_envelope

KEY = "a test's key of contexts"
PREFIX = "three_"
REPLIES = "reply.orchestrator.v1"
SERVICES: dict[str, Service] = {"billing": billing, "delivery": delivery, "activity": activity}
WAIT_S = 30
STORY = [
    "billing.AccountOpened.v1",
    "billing.EntitlementsChanged.v1",
    "billing.QuotaReserved.v1",
    "delivery.ReleaseStaged.v1",
    "delivery.ReleasePublished.v1",
    "billing.QuotaCommitted.v1",
    "delivery.AppUnpublished.v1",
    "billing.UnitsFreed.v1",
]


@pytest.fixture(scope="module")
def own_servers() -> Iterator[Servers]:
    """Their topics must hold nothing of other tests: these services read them from the start."""
    servers = Servers()
    yield servers
    servers.close()


@dataclass
class Platform:
    """The three services, and a client that speaks as saga and as gateway."""

    running: dict[str, Running]
    producer: Any  # aiokafka is untyped
    replies: Any  # aiokafka is untyped
    blobs: FolderBlobs
    workspace_id: UUID = field(default_factory=new_id)
    actor_id: UUID = field(default_factory=new_id)
    http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=10))

    async def command(self, command: Command[Any]) -> dict[str, Any]:  # a reply's JSON
        """As a saga: over Kafka, its reply from the saga's topic."""
        envelope = an_envelope(command, SystemClock())
        headers = {**envelope.headers(), "ce_replyto": REPLIES, "ce_actorid": str(self.actor_id)}
        await self.producer.send_and_wait(
            envelope.topic, envelope.data, key=envelope.key.encode(), headers=wire_headers(headers)
        )
        async with asyncio.timeout(WAIT_S):
            async for record in self.replies:
                told = {name: value.decode() for name, value in record.headers}
                if told.get("ce_causationid") == str(envelope.id):
                    return {"type": told["ce_type"], **orjson.loads(record.value)}
        raise AssertionError("the replies ended")

    async def post(self, owner: str, path: str, permission: str, **body: object) -> Any:
        """As the gateway."""
        answer = await self.http.post(
            self.url(owner, path),
            json={"workspace_id": str(self.workspace_id), **body},
            headers={**self.signed(permission), "basalt-command-id": str(new_id())},
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def url(self, owner: str, path: str) -> str:
        return f"http://127.0.0.1:{self.running[owner].port}{path}"

    def signed(self, permission: str) -> dict[str, str]:
        far = datetime(2200, 1, 1, tzinfo=UTC)
        context = Context(self.actor_id, self.workspace_id, permission, far)
        return {"basalt-context": sign(context, KEY.encode())}

    @property
    def bootstrap(self) -> str:
        return self.running["activity"].settings.kafka_bootstrap

    async def feed(self) -> list[dict[str, Any]]:  # entries as JSON
        page = await self.post("activity", "/queries/GetFeed", "workspace.read")
        return list(page["entries"])


async def eventually(look: Callable[[], Awaitable[bool]]) -> None:
    clock = SystemClock()
    async with asyncio.timeout(WAIT_S):
        while not await look():
            await clock.sleep(0.05)


@pytest.fixture
async def platform(own_servers: Servers, tmp_path: Path) -> AsyncIterator[Platform]:
    plan = Plan(
        postgres_url=f"{own_servers.postgres_url}/postgres",
        kafka_bootstrap=own_servers.kafka_bootstrap,
        services=tuple(SERVICES),
        prefix=PREFIX,
        partitions=2,
    )
    await provision(plan)
    running = {}
    for name, service in SERVICES.items():
        payments = {"payments_url": own_servers.payments_url} if name == "billing" else {}
        settings = service.settings(
            context_key=KEY,
            postgres_url=database_url(plan.postgres_url, name, prefix=PREFIX, password=""),
            kafka_bootstrap=plan.kafka_bootstrap,
            mongo_url=own_servers.mongo_url,
            redis_url=own_servers.redis_url,
            blob_dir=str(tmp_path),
            http_port=0,
            topic_partitions=2,
            **payments,
        )
        running[name] = await service.start(settings)
    producer = AIOKafkaProducer(bootstrap_servers=plan.kafka_bootstrap)
    replies = AIOKafkaConsumer(
        REPLIES, bootstrap_servers=plan.kafka_bootstrap, auto_offset_reset="earliest"
    )
    await producer.start()
    await replies.start()
    yield Platform(running, producer, replies, FolderBlobs(tmp_path))
    await producer.stop()
    await replies.stop()
    for each in running.values():
        await each.stop()


async def ready(platform: Platform) -> None:
    async def all_ready() -> bool:
        answers = [
            await platform.http.get(platform.url(name, "/readyz")) for name in platform.running
        ]
        return all(answer.status_code == 200 for answer in answers)

    await eventually(all_ready)


async def publish(platform: Platform, app_id: UUID) -> UUID:
    """The steps of the saga that are these services'."""
    place = {"workspace_id": platform.workspace_id, "app_id": app_id}
    reservation_id, release_id = new_id(), new_id()
    digest = await put_bundle(platform.blobs, platform.workspace_id)
    live = Environment.PRODUCTION
    await platform.command(OpenAccount(workspace_id=platform.workspace_id))
    await platform.command(ReserveQuota(**place, reservation_id=reservation_id))
    await platform.command(
        StageRelease(
            **place,
            release_id=release_id,
            revision_id=new_id(),
            environment=live,
            bundle_digest=digest,
        )
    )
    published = await platform.command(
        SwitchLivePointer(
            **place, release_id=release_id, environment=live, previous_release_id=None
        )
    )
    assert published["type"] == "delivery.ReleasePublished.v1"
    await platform.command(
        CommitQuota(
            **place,
            reservation_id=reservation_id,
            pointer_version=published["pointer_version"],
        )
    )
    return release_id


async def test_a_publish_is_served_billed_and_remembered_once(platform: Platform) -> None:
    await ready(platform)
    app_id = new_id()
    release_id = await publish(platform, app_id)
    live = f"/live/{platform.workspace_id}/{app_id}/production/manifest.json"
    member = platform.signed("workspace.read")

    manifest = await platform.http.get(platform.url("delivery", live), headers=member)
    url = manifest.json()["files"][0]["url"]
    file = await platform.http.get(platform.url("delivery", url), headers=member)
    usage = await platform.post("billing", "/queries/GetUsage", "workspace.read")
    assert manifest.json()["release_id"] == str(release_id)
    assert file.content == PAGES["index.json"]
    assert usage["live_app_ids"] == [str(app_id)]

    await platform.post(
        "delivery",
        "/commands/UnpublishApp",
        "app.publish",
        app_id=str(app_id),
        environment="production",
    )
    gone = await platform.http.get(platform.url("delivery", live), headers=member)
    assert gone.status_code == 404

    await the_feed_tells(platform)
    usage = await platform.post("billing", "/queries/GetUsage", "workspace.read")
    assert (usage["live_app_ids"], usage["units_left"]) == ([], 2)
    await every_fact_again(platform)
    await the_feed_tells(platform)


async def the_feed_tells(platform: Platform) -> None:
    async def complete() -> bool:
        return len(await platform.feed()) >= len(STORY)

    await eventually(complete)
    told = await platform.feed()
    assert sorted(entry["type"] for entry in told) == sorted(STORY)
    assert len({entry["event_id"] for entry in told}) == len(STORY)


async def every_fact_again(platform: Platform) -> None:
    """Copies of all records so far; returns when activity has passed them."""
    consumer = AIOKafkaConsumer(
        *EVENT_TOPICS,
        bootstrap_servers=platform.bootstrap,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    copied = 0
    async with asyncio.timeout(WAIT_S):
        while copied < len(STORY):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    headers = list(record.headers)
                    await platform.producer.send_and_wait(
                        record.topic, record.value, key=record.key, headers=headers
                    )
                    copied += 1
    ends = await consumer.end_offsets(consumer.assignment())
    await consumer.stop()
    await passed(platform, {place: end for place, end in ends.items() if end})


async def passed(platform: Platform, ends: dict[Any, int]) -> None:  # by aiokafka's partitions
    admin = AIOKafkaAdminClient(bootstrap_servers=platform.bootstrap)
    await admin.start()

    async def at_the_end() -> bool:
        at = await admin.list_consumer_group_offsets("activity")
        return all(place in at and at[place].offset >= end for place, end in ends.items())

    await eventually(at_the_end)
    await admin.close()
