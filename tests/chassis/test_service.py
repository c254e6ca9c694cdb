"""A whole service: refuses to start when something is missing, serves, drains."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from chassis.clock import new_id
from chassis.messaging.envelope import Envelope, decode
from chassis.testing.messages import a_command
from tests.chassis.observability.collector import Collector
from tests.chassis.toy.contracts.toy.counter import (
    CountQuietly,
)
from tests.chassis.toy.place import CLOCK, Place, Process, a_place


@pytest.fixture
async def place(fresh_database: str, kafka_bootstrap: str) -> Place:
    return await a_place(fresh_database, kafka_bootstrap)


@pytest.fixture
async def process(place: Place) -> AsyncIterator[Process]:
    started = Process(place)
    yield started
    await started.close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    started = Collector()
    yield started
    started.stop()


class TestAsAProcess:
    async def test_a_command_over_http_becomes_state_and_a_fact(
        self, place: Place, process: Process
    ) -> None:
        await process.ready()
        ids = {"workspace_id": new_id(), "counter_id": new_id()}
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"

        sent = await process.send(
            "Count", by=5, traceparent=f"00-{trace}-00f067aa0ba902b7-01", **ids
        )
        shown = await process.ask("GetCounter", **ids)
        fact = await the_fact(place, str(ids["counter_id"]))

        assert sent.json()["data"]["value"] == 5
        assert shown.json()["data"] == {"value": 5}
        assert (fact.type, fact.aggregate_version) == ("toy.Counted.v1", 1)
        assert fact.workspace_id == ids["workspace_id"]
        assert trace in fact.traceparent

    async def test_a_named_replica_that_was_killed_goes_on_under_its_name(
        self, place: Place
    ) -> None:
        first = Process(place, kafka_instance="toy-1")
        await first.ready()
        first.kill9()
        await first.close()
        second = Process(place, kafka_instance="toy-1")

        await second.ready()
        envelope = a_command(CountQuietly(workspace_id=new_id(), counter_id=new_id()))
        await produce(place, envelope)
        reply = await the_reply(place, str(envelope.correlation_id))
        await second.close()

        assert reply.causation_id == envelope.id

    async def test_the_same_command_id_counts_once(self, process: Process) -> None:
        await process.ready()
        ids = {"workspace_id": new_id(), "counter_id": new_id(), "command_id": new_id()}

        answers = [(await process.send("Count", by=2, **ids)).json() for _ in range(3)]
        reused = await process.send("Count", by=3, **ids)

        assert [answer["data"]["value"] for answer in answers] == [2, 2, 2]
        assert (reused.status_code, reused.json()["type"]) == (409, "idempotency_key_reused")

    async def test_a_command_over_kafka_is_answered_with_a_reply(
        self, place: Place, process: Process
    ) -> None:
        await process.ready()
        command = CountQuietly(workspace_id=new_id(), counter_id=new_id())
        envelope = a_command(command)

        await produce(place, envelope)
        reply = await the_reply(place, str(envelope.correlation_id))

        assert (reply.type, reply.causation_id) == ("toy.Counted.v1", envelope.id)
        assert orjson.loads(reply.data)["value"] == 1

    async def test_sigterm_finishes_what_is_under_way_and_exits_with_0(
        self, process: Process
    ) -> None:
        await process.ready()
        ids = {"workspace_id": new_id()}
        sending = [
            asyncio.create_task(process.send("Count", counter_id=new_id(), **ids))
            for _ in range(20)
        ]
        await CLOCK.sleep(0.01)

        began = CLOCK.monotonic()
        process.terminate()
        code = await process.ended()
        responses = await asyncio.gather(*sending, return_exceptions=True)

        assert (code, CLOCK.monotonic() - began < 10) == (0, True)
        statuses = {getattr(response, "status_code", "refused") for response in responses}
        assert statuses <= {200, "refused"}

    async def test_a_password_reaches_no_log_line(self, process: Process) -> None:
        await process.ready()

        broken = await process.send("Unlock", permission="public", password="sw0rdfish")
        down = await process.send("Unlock", permission="public", password="down-sw0rdfish")
        invalid = await process.send("Unlock", permission="public", password=["sw0rdfish"])
        process.terminate()
        await process.ended()

        statuses = [broken.status_code, down.status_code, invalid.status_code]
        assert statuses == [500, 503, 400]
        output = process.output()
        assert broken.json()["trace_id"] in output
        assert "sw0rdfish" not in output

    async def test_one_trace_id_finds_the_whole_way(
        self, place: Place, collector: Collector
    ) -> None:
        process = Process(place, otlp_endpoint=await collector.start())
        await process.ready()
        trace = "7b3c1f0e9d8a47568f1e2d3c4b5a6978"
        traceparent = f"00-{trace}-00f067aa0ba902b7-01"
        ids = {"workspace_id": new_id(), "counter_id": new_id()}

        await process.send("Count", traceparent=traceparent, **ids)
        fact = await the_fact(place, str(ids["counter_id"]))
        command = a_command(CountQuietly(**ids), traceparent=fact.traceparent)
        await produce(place, command)
        reply = await the_reply(place, str(command.correlation_id))
        process.terminate()
        await process.ended()
        lines = [orjson.loads(line) for line in process.output().splitlines()]
        await process.close()

        spans = collector.of(trace)
        assert {"Count", "handle count", "handle count_quietly"} <= spans.keys()
        assert spans["handle count"].parent_span_id == spans["Count"].span_id
        assert spans["handle count_quietly"].parent_span_id == spans["handle count"].span_id
        assert trace in fact.traceparent
        assert trace in reply.traceparent
        tenant = {each.key: each.value.string_value for each in spans["Count"].attributes}
        assert tenant["basalt.workspace_id"] == str(ids["workspace_id"])
        (line,) = [each for each in lines if each["event"] == "answered"]
        assert (line["trace_id"], line["outcome"]) == (trace, "ok")
        assert line["workspace_id"] == str(ids["workspace_id"])

    async def test_a_taken_port_is_one_clear_line(self, place: Place, process: Process) -> None:
        await process.ready()

        second = Process(place, http_port=str(process.port))
        code = await second.ended()
        (line,) = [each for each in second.output().splitlines() if "cannot_start" in each]
        await second.close()

        assert code == 78
        assert f"cannot listen on 127.0.0.1:{process.port}" in line

    @pytest.mark.parametrize(
        ("variable", "said"),
        [
            ("context_key", "CONTEXT_KEY: value should have at least 16 items"),
            ("postgres_url", "POSTGRES_URL is not set, and toy needs it"),
            ("kafka_bootstrap", "KAFKA_BOOTSTRAP is not set, and toy needs it"),
        ],
    )
    async def test_a_missing_variable_is_one_clear_line(
        self, place: Place, variable: str, said: str
    ) -> None:
        process = Process(place, **{variable: ""})

        code = await process.ended()
        output = process.output()
        await process.close()

        assert code == 78
        assert said in output
        assert "Traceback" not in output

    async def test_it_waits_for_its_migrations_and_says_so(
        self, place: Place, fresh_database: str
    ) -> None:
        connection = await asyncpg.connect(fresh_database, timeout=10)
        head = await connection.fetchval("SELECT version_num FROM alembic_version_chassis")
        await connection.execute("UPDATE alembic_version_chassis SET version_num = 'older'")
        process = Process(place)

        while True:
            try:
                response = await process.http.get("/readyz")
                break
            except httpx.TransportError:
                await CLOCK.sleep(0.05)
        await connection.execute("UPDATE alembic_version_chassis SET version_num = $1", head)
        await process.ready()
        await connection.close()
        process.terminate()
        await process.ended()
        output = process.output()
        await process.close()

        ours = [line for line in output.splitlines() if '"logger":"aiokafka' not in line]
        assert response.status_code == 503
        assert not any("failed" in line for line in ours)
        assert any("migrations missing" in reason for reason in response.json()["reasons"])


async def the_fact(place: Place, key: str) -> Envelope:
    return await first(place, "toy.counter.v1", key)


async def the_reply(place: Place, key: str) -> Envelope:
    return await first(place, "reply.orchestrator.v1", key)


async def first(place: Place, topic: str, key: str) -> Envelope:
    """The first record of this key."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=place.kafka_bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        async with asyncio.timeout(20):
            async for record in consumer:
                if record.key == key.encode():
                    return decode(record)
    finally:
        await consumer.stop()
    raise AssertionError("the consumer does not end by itself")


async def produce(place: Place, envelope: Envelope) -> None:
    """As another service's relay would: straight to the topic."""
    from aiokafka import AIOKafkaProducer

    from chassis.messaging.envelope import wire_headers

    producer = AIOKafkaProducer(bootstrap_servers=place.kafka_bootstrap)
    await producer.start()
    await producer.send_and_wait(
        envelope.topic,
        envelope.data,
        envelope.key.encode(),
        headers=wire_headers(envelope.headers()),
    )
    await producer.stop()
