"""Facts as nudges: whoever watches the subject, or the saga that caused it, is woken."""

from dataclasses import dataclass, field

from contracts.catalogue import EVENT_TOPICS
from services.gateway.facts import TOPICS, hear
from services.gateway.watch import Nudges


@dataclass
class FakeRecord:
    """A record with headers only."""

    headers: list[tuple[str, bytes]]
    topic: str = "studio.app.v1"
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = field(default=None)


def test_a_fact_wakes_who_watches_its_subject_or_its_saga_and_nobody_else() -> None:
    nudges = Nudges()
    record = FakeRecord([("ce_subject", b"app"), ("ce_correlationid", b"saga")])

    with nudges.watch("app") as app, nudges.watch("saga") as saga, nudges.watch("x") as other:
        hear(nudges, [record])

        assert (app.is_set(), saga.is_set(), other.is_set()) == (True, True, False)


def test_a_record_that_makes_no_sense_wakes_nobody_and_breaks_nothing() -> None:
    nudges = Nudges()

    with nudges.watch("") as nobody:
        hear(nudges, [FakeRecord([]), FakeRecord([("ce_subject", b"\xff\xfe")])])

        assert not nobody.is_set()


def test_the_topics_are_those_of_facts() -> None:
    assert set(TOPICS) <= set(EVENT_TOPICS)
