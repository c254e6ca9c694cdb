"""What a producer's life ends with."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from aiokafka.errors import OutOfOrderSequenceNumber

from chassis.errors import Unavailable
from chassis.messaging.outbox import Outgoing
from chassis.messaging.producer import Producer


class Ear:
    """Fulfils Watcher."""

    def __init__(self) -> None:
        self.broke: list[BaseException] = []

    def confirmed(self, ids: Sequence[UUID]) -> None: ...

    def unroutable(self, rows: Sequence[Outgoing]) -> None: ...

    def broken(self, error: BaseException) -> None:
        self.broke.append(error)


class FakeClient:
    """Of aiokafka's producer, what is called: each record gets the same fate."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    async def send(self, *_: object, **__: object) -> "asyncio.Future[Any]":
        sent: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._error is None:
            sent.set_result(None)
        else:
            sent.set_exception(self._error)
        return sent


async def a_producer(ear: Ear, error: Exception | None) -> Producer:
    producer = Producer("127.0.0.1:1", ear, client_id="test")
    await producer.stop(1.0)  # its real client never connects
    producer._client = FakeClient(error)
    return producer


async def test_a_letter_that_kafka_refused_ends_the_producers_life() -> None:
    ear, error = Ear(), OutOfOrderSequenceNumber()
    producer = await a_producer(ear, error)

    with pytest.raises(Unavailable):
        await producer.send("dlq.billing", b"k", b"v", [])
    await asyncio.sleep(0)

    assert ear.broke == [error]


async def test_a_letter_that_arrived_ends_nothing() -> None:
    ear = Ear()
    producer = await a_producer(ear, None)

    await producer.send("dlq.billing", b"k", b"v", [])
    await asyncio.sleep(0)

    assert ear.broke == []
