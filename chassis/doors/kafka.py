"""The Kafka door: what a service's handlers say it takes, wired to relay, inbox and runner.

One consumer group for each service (its name): the commands on `cmd.<name>.v1`, the topics of the
events that it handles, and the taps. Extensions may add groups of their own.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from chassis.faults.consumer import pointed
from chassis.messaging.chunk import CommandChunk
from chassis.messaging.deadletters import DeadLetters
from chassis.messaging.handlers import Handlers
from chassis.messaging.lanes import Place
from chassis.messaging.limits import RelayLimits, RunnerLimits
from chassis.messaging.producer import Producer
from chassis.messaging.relay import Relay
from chassis.messaging.subscription import Subscription
from chassis.messaging.unit import Kit
from chassis.parking.loop import ParkedKeys
from chassis.parking.lot import LotLimits
from chassis.parking.wire import wire_letters
from chassis.service import Service
from chassis.settings import ServiceSettings
from chassis.wiring import Consumer, Wiring


class NotReady(Exception):
    """The text says what is missing."""


class KafkaDoor:
    """Built before the extensions, so that they find the relay; started after them."""

    def __init__(self, wiring: Wiring, relay: Relay) -> None:
        self._wiring = wiring
        self._relay = relay
        self._subscriptions: list[Subscription] = []
        wiring.relay, wiring.resources.mint = relay, relay.mint
        wiring.home_topic = f"cmd.{wiring.service}.v1"
        wiring.check("relay", partial(_demand, relay.not_ready))
        wiring.check("kafka", partial(_demand, self._not_ready))

    @classmethod
    async def open(cls, service: Service, wiring: Wiring) -> "KafkaDoor":
        """Wires the service's handlers. Nothing connects yet."""
        settings: ServiceSettings = wiring.settings
        bootstrap = settings.kafka_bootstrap
        relay = Relay(
            wiring.resources.database,
            wiring.resources.clock,
            lambda watcher: Producer(bootstrap, watcher, client_id=f"basalt-{service.name}"),
            RelayLimits(
                shards=settings.topic_partitions,
                inbox_keep_s=settings.inbox_keep_days * 86_400,
            ),
        )
        door = cls(wiring, relay)
        handlers = wiring.handlers
        assert handlers is not None, "handlers are bound before the door is opened"
        group = settings.kafka_group or service.name
        kit = Kit(service.name, group, handlers, wiring.resources, relay)
        parking = LotLimits(open_max=settings.parked_messages_max)
        chunk = CommandChunk(kit, DeadLetters(group, relay), parking=parking)
        wiring.execute = chunk.execute
        wire_letters(wiring)
        topics = topics_of(service, handlers)
        if topics:
            wiring.consume(Consumer(group, topics, chunk))
            keys = ParkedKeys(
                chunk.lot,
                topics,
                chunk.replay,
                wiring.resources.database,
                wiring.resources.clock,
            )
            wiring.run("parked-keys", keys.run)
        return door

    async def stop(self) -> None:
        """Finish the chunks under way and leave the groups. The relay is stopped later."""
        await asyncio.gather(*(subscription.stop() for subscription in self._subscriptions))

    async def start(self) -> None:
        """Relay and consume in the background. The database must have its migrations: without its
        tables every message would fail."""
        clock = self._wiring.resources.clock
        await self._relay.start()
        limits = RunnerLimits(chunk_records_max=self._wiring.settings.chunk_records_max)
        for consumer in self._wiring.consumers:
            subscription = Subscription(
                bootstrap=self._wiring.settings.kafka_bootstrap,
                group=consumer.group,
                topics=consumer.topics,
                handler=pointed(consumer.handler),
                clock=clock,
                limits=limits,
                instance=self._wiring.settings.kafka_instance,
                moved=self._moved if self._wiring.home_topic in consumer.topics else None,
            )
            self._subscriptions.append(subscription)
            await subscription.start()

    def _moved(self, places: Iterable[Place]) -> None:
        home = self._wiring.home_topic
        self._relay.wish(place.partition for place in places if place.topic == home)

    def _not_ready(self) -> str:
        if len(self._subscriptions) < len(self._wiring.consumers):
            return "not started: waiting for the database's migrations"
        return "; ".join(filter(None, (each.not_ready() for each in self._subscriptions)))


def topics_of(service: Service, handlers: Handlers) -> tuple[str, ...]:
    """What the service's own group reads."""
    topics = set(handlers.topics)
    if handlers.commands:
        topics.add(f"cmd.{service.name}.v1")
    if handlers.tap is not None:
        topics.update(service.taps_topics)
    return tuple(sorted(topics))


async def _demand(why_not: Callable[[], str]) -> None:
    if reason := why_not():
        raise NotReady(reason)
