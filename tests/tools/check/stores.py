"""Real stores for a world: databases made by `chassis.provision`, topics, MongoDB, a folder."""

import asyncio
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from motor.motor_asyncio import AsyncIOMotorClient

from chassis.provision import Plan, provision, topics
from tests.servers import Servers
from tests.tools.check.messages import Message
from tests.tools.check.world import World
from tools.basalt.check.layout import GROUPS, SERVICES
from tools.basalt.check.settings import Places

PREFIX = "checked_"
KEPT_TABLES = ("alembic%", "relay%")
TOPICS_TIMEOUT_S = 30


@dataclass
class Stores:
    """One set of stores for all tests; each test writes its world anew."""

    servers: Servers
    folder: Path
    written: list[Message] = field(default_factory=list)  # what the topics have

    @property
    def environment(self) -> dict[str, str]:
        """As an operator sets it."""
        return {
            "POSTGRES_URL": f"{self.servers.postgres_url}/postgres",
            "DATABASE_PREFIX": PREFIX,
            "KAFKA_BOOTSTRAP": self.servers.kafka_bootstrap,
            "MONGO_URL": self.servers.mongo_url,
            "BLOB_DIR": str(self.folder),
        }

    @property
    def places(self) -> Places:
        return Places.of(self.environment)

    async def prepare(self) -> None:
        """Databases, with the migrations of the services, and topics."""
        plan = Plan(
            self.environment["POSTGRES_URL"], self.servers.kafka_bootstrap, SERVICES, PREFIX,
            partitions=1,
        )  # fmt: skip
        await provision(plan)

    async def write(self, world: World) -> None:
        """This world and nothing else."""
        messages = world.script.messages
        if messages != self.written:
            await self._write_topics(messages)
            self.written = list(messages)
        await asyncio.gather(
            self._write_rows(world), self._write_documents(world), self._write_blobs(world)
        )

    async def run(self, service: str, *statements: str) -> None:
        """SQL in a service's database."""
        connection = await self._connect(service)
        try:
            for statement in statements:
                await connection.execute(statement, timeout=30)
        finally:
            await connection.close()

    def mongo(self) -> Any:  # motor is untyped
        return AsyncIOMotorClient(self.servers.mongo_url)

    async def _connect(self, service: str) -> Any:
        return await asyncpg.connect(self.places.databases[service], timeout=10)

    async def _write_rows(self, world: World) -> None:
        await asyncio.gather(*(self._write_service(world, service) for service in SERVICES))

    async def _write_service(self, world: World, service: str) -> None:
        connection = await self._connect(service)
        try:
            async with connection.transaction():
                await _empty(connection)
                at = await connection.fetchval("SELECT now()")
                for row in world.rows:
                    if row.service == service:
                        await _insert(connection, row.table, _timed(row.values, at))
                for group, message, answer in _handled(world, service):
                    about = {"consumer_group": group, "message_id": message.id}
                    await _insert(connection, "inbox", {**about, "reply_type": answer})
        finally:
            await connection.close()

    async def _write_documents(self, world: World) -> None:
        client = self.mongo()
        try:
            for database in ("activity", "studio"):
                for name in await client[database].list_collection_names():
                    await client[database][name].delete_many({})
            facts = [m for m in world.script.messages if m.is_fact]
            feed = [feed_entry(m) for m in facts if m.id not in world.feed_without]
            await client["activity"]["feed"].insert_many(list({e["_id"]: e for e in feed}.values()))
            for collection, bodies in world.contents.items():
                documents = [{"_id": name, "body": body} for name, body in bodies.items()]
                await client["studio"][collection].insert_many(documents)
        finally:
            client.close()

    async def _write_blobs(self, world: World) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        for path, body in world.blobs.items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)

    async def _write_topics(self, messages: list[Message]) -> None:
        names = list(topics(SERVICES))
        bootstrap = self.servers.kafka_bootstrap
        if self.written:
            await _make_again(bootstrap, names)
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
        await producer.start()
        try:
            for message in messages:
                headers = [(name, text.encode()) for name, text in message.headers().items()]
                await producer.send(
                    message.topic, message.body, key=message.key.encode(), headers=headers
                )
            await producer.flush()
        finally:
            await producer.stop()
        await asyncio.gather(*(_commit(bootstrap, group.name, names) for group in GROUPS))


def feed_entry(message: Message) -> dict[str, Any]:
    """As activity keeps it."""
    return {
        "_id": str(message.id),
        "type": message.type,
        "workspace_id": str(message.ws) if message.ws else None,
        "subject": message.key,
        "aggregate_version": message.version,
    }


def _handled(world: World, service: str) -> list[tuple[str, Message, str | None]]:
    found = {
        (group, message.id): (group, message, answer)
        for message in world.script.messages
        for group, answer in message.handled_by()
        if group == service and message.id not in world.inbox_without
    }
    return list(found.values())


async def _empty(connection: Any) -> None:
    await connection.execute("SET LOCAL session_replication_role = replica")  # append-only too
    rows = await connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        " AND NOT tablename LIKE ANY($1::text[])",
        list(KEPT_TABLES),
    )
    await connection.execute(";".join(f"DELETE FROM {row[0]}" for row in rows))


async def _insert(connection: Any, table: str, values: Mapping[str, Any]) -> None:
    names = ", ".join(values)
    await connection.execute(
        f"INSERT INTO {table} ({names}) SELECT {names}"
        f" FROM json_populate_record(NULL::{table}, $1::json)",
        json.dumps(values, default=_plain),
    )


def _plain(value: object) -> str:
    return f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)


def _timed(values: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    moments = {
        "now": at.isoformat(),
        "soon": (at + timedelta(hours=1)).isoformat(),
        "later": (at + timedelta(hours=2)).isoformat(),
    }
    return {
        name: moments.get(value, value) if isinstance(value, str) else value
        for name, value in values.items()
    }


async def _make_again(bootstrap: str, names: list[str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics(names)
        async with asyncio.timeout(TOPICS_TIMEOUT_S):
            while True:
                wanted = [NewTopic(name, 1, 1) for name in names]
                answer = await admin.create_topics(wanted)
                codes = {error[1] for error in answer.topic_errors}
                if codes <= {0}:
                    return
                names = [error[0] for error in answer.topic_errors if error[1]]
                await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def _commit(bootstrap: str, group: str, names: list[str]) -> None:
    """Everything that is there is behind the group."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False
    )
    await consumer.start()
    try:
        places = [TopicPartition(name, 0) for name in names]
        consumer.assign(places)
        async with asyncio.timeout(TOPICS_TIMEOUT_S):
            while True:
                try:
                    await consumer.commit(await consumer.end_offsets(places))
                    return
                except KafkaError:  # the topics are new, and not known everywhere yet
                    await asyncio.sleep(0.05)
    finally:
        await consumer.stop()
