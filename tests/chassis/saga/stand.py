"""A stand for the engine: real PostgreSQL, no Kafka. Commands are taken from the outbox table."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

import services.orchestrator
from chassis.clock import SystemClock, new_id
from chassis.errors import Conflict
from chassis.messaging.outbox import Outbox, Outgoing, add_outbox
from chassis.saga import Definitions
from chassis.saga.codec import body_of
from chassis.saga.desk import SagaDesk, Start
from chassis.saga.engine import Answer, SagaEngine
from chassis.saga.inputs import Reply
from chassis.saga.state import SagaState
from chassis.stores.migrate import migrate, migrations_of
from chassis.stores.postgres import Database
from chassis.stores.statement import Statement
from chassis.testing.saga import success_of
from contracts.base import REGISTRY, Message, Rejection
from sagas.publish_app import publish_app
from services.orchestrator.model import DEFINITIONS, announce

SHARDS = 6
WORKSPACE = UUID(int=7)


class PlainCommit:
    """A commit point without a relay: the rows stay in the outbox until a test takes them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def commit(self, statement: Statement, outbox: Outbox) -> None:
        add_outbox(statement, [Outgoing.of(envelope, 16) for envelope in outbox], {})
        await statement.run(self._database)


@dataclass(frozen=True)
class Sent:
    """A command as a participant would get it."""

    id: UUID
    contract: type[Message]
    fields: dict[str, Any]
    headers: dict[str, str]


class Stand:
    """One database and as many engines on it as a test wants."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.engine = self.another_engine()

    def another_engine(self, definitions: Definitions = DEFINITIONS) -> SagaEngine:
        desk = SagaDesk(definitions, announce, database=self.database, shards=SHARDS)
        return SagaEngine(desk, PlainCommit(self.database), SystemClock())

    async def publish(self, count: int = 1, app_id: UUID | None = None) -> list[SagaState]:
        """Start publishes: of one app, or of an app each."""
        starts = [
            Start(publish_app, self._fields(app_id or new_id()), workspace_id=WORKSPACE)
            for _ in range(count)
        ]
        return await self.engine.start(starts)

    async def take_commands(self) -> list[Sent]:
        """What was sent since the last time; the public events are dropped."""
        rows = await self.database.fetch(
            "WITH gone AS (DELETE FROM outbox RETURNING *) SELECT * FROM gone ORDER BY seq"
        )
        return [
            Sent(
                UUID(int=row["id"].int),
                REGISTRY[row["type"]],
                orjson.loads(row["payload"]),
                orjson.loads(row["headers"]),
            )
            for row in rows
            if row["topic"].startswith("cmd.")
        ]

    async def states(self) -> dict[UUID, SagaState]:
        rows = await self.database.fetch("SELECT id FROM saga_instance")
        ids = [UUID(int=row["id"].int) for row in rows]
        found, _ = await self.engine._desk.store.load(ids, [])
        return found

    async def state(self, saga: SagaState) -> SagaState:
        return (await self.states())[saga.id]

    async def make_due(self, saga: SagaState) -> None:
        """As if the time of the saga's next wake-up had come."""
        past = datetime.now(UTC) - timedelta(seconds=1)
        state = await self.state(saga)
        state.wake_at = past
        state.steps = [replace(step, due=past) if step.due else step for step in state.steps]
        await self.database.execute(
            "UPDATE saga_instance SET next_wake_at = $2, state = $3::text::json WHERE id = $1",
            saga.id,
            past,
            body_of(state),
        )

    async def attempts(self) -> set[int]:
        """How often the first step of each saga was sent."""
        return {state.steps[0].attempts for state in (await self.states()).values()}

    async def deliver(self, *answers: Answer) -> None:
        """As SagaChunk does it: a conflict is tried again."""
        for _ in range(3):
            try:
                await self.engine.answer(answers)
                return
            except Conflict:
                continue
        raise AssertionError("a conflict that does not end")

    async def run_to_the_end(self, replies: dict[type[Message], Message] | None = None) -> None:
        """Answer until nobody sends any more."""
        while commands := await self.take_commands():
            await self.engine.answer([answer_to(sent, replies or {}) for sent in commands])

    def _fields(self, app_id: UUID | None) -> dict[str, Any]:
        return {
            "workspace_id": str(WORKSPACE),
            "app_id": str(app_id),
            "revision_id": str(UUID(int=9)),
            "environment": "staging",
            "previous_release_id": None,
        }


def answer_to(
    sent: Sent, replies: dict[type[Message], Message], message_id: UUID | None = None
) -> Answer:
    """A participant's answer: success, unless `replies` says otherwise."""
    message = replies.get(sent.contract) or success_of(sent.contract, sent.fields)
    reply = Reply(
        sent.id,
        message.address.type,
        message.model_dump(mode="json"),
        SystemClock().now(),
        isinstance(message, Rejection),
    )
    return Answer(message_id or new_id(), UUID(sent.headers["ce_correlationid"]), reply)


def contracts_of(commands: Sequence[Sent]) -> list[type[Message]]:
    return [sent.contract for sent in commands]


@asynccontextmanager
async def a_stand(url: str) -> AsyncIterator[Stand]:
    """On a fresh database."""
    await migrate(url, migrations_of(Path(services.orchestrator.__file__).parent))
    database = await Database.open(url, pool_max=6)
    try:
        yield Stand(database)
    finally:
        await database.close()
