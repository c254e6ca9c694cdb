"""Facts that pass on Kafka, as nudges: whoever watches what one is about asks its owner again."""

from collections.abc import Sequence

from chassis.messaging.envelope import Record, read_headers
from chassis.messaging.tail import Tail
from chassis.wiring import Wiring
from contracts.delivery.release import ReleasePublished
from contracts.orchestrator.saga import SagaStarted
from contracts.studio.app import AppCreated
from services.gateway.watch import Nudges

TOPICS = tuple(fact.address.topic for fact in (AppCreated, ReleasePublished, SagaStarted))
"""Where things happen that clients watch: apps, releases, long work."""


def hear(nudges: Nudges, records: Sequence[Record]) -> None:
    """A fact concerns its subject, and the saga that caused it."""
    for record in records:
        headers = read_headers(record.headers)
        names = (headers.get("ce_subject", ""), headers.get("ce_correlationid", ""))
        nudges.nudge(*(name for name in names if name))


def listen(wiring: Wiring, nudges: Nudges) -> None:
    """Keep a tail running while the service does. Without Kafka, watchers only poll."""
    if not wiring.settings.kafka_bootstrap:
        return
    tail = Tail(
        bootstrap=wiring.settings.kafka_bootstrap,
        topics=TOPICS,
        hear=lambda records: hear(nudges, records),
        clock=wiring.resources.clock,
    )
    wiring.run("facts", tail.run)
