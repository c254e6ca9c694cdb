"""ShardBook: nothing overtakes an older row of its key, whatever replicas and leases do."""

from dataclasses import dataclass, field
from uuid import UUID

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from chassis.clock import new_id
from chassis.messaging.order import ShardBook, Ticket
from chassis.messaging.outbox import Outgoing

SHARD = 3


def a_row(key: str = "k", shard: int = SHARD) -> Outgoing:
    return Outgoing(new_id(), shard, key, "T.v1", "topic", {}, b"{}")


def a_clear_book(epoch: int = 1) -> ShardBook:
    book = ShardBook()
    book.hold({SHARD: epoch})
    book.begin_scan([SHARD])
    book.end_scan([SHARD], complete=True)
    return book


def opened(book: ShardBook, *rows: Outgoing) -> Ticket:
    ticket = book.open({SHARD: list(rows)})
    assert ticket is not None
    return ticket


class TestShardBook:
    def test_a_new_shard_is_scanned_before_anything_leaves_from_memory(self) -> None:
        book = ShardBook()
        book.hold({SHARD: 1})

        ready = book.resolve(opened(book, a_row()), committed=True)

        assert ready == []
        assert book.dirty == {SHARD}

    def test_rows_of_a_clear_shard_leave_at_once(self) -> None:
        book, row = a_clear_book(), a_row()

        assert book.resolve(opened(book, row), committed=True) == [row]
        assert book.dirty == set()

    def test_a_later_ticket_waits_for_an_earlier_one(self) -> None:
        book, first_row, second_row = a_clear_book(), a_row(), a_row()
        first, second = opened(book, first_row), opened(book, second_row)

        assert book.resolve(second, committed=True) == []
        assert book.resolve(first, committed=True) == [first_row, second_row]

    def test_an_aborted_ticket_holds_nobody_up(self) -> None:
        book, row = a_clear_book(), a_row()
        first, second = opened(book, a_row()), opened(book, row)
        book.resolve(second, committed=True)

        assert book.resolve(first, committed=False) == [row]

    def test_an_older_row_of_another_replica_sends_all_to_the_table(self) -> None:
        book = a_clear_book()

        ready = book.resolve(opened(book, a_row()), committed=True, foreign=[SHARD])

        assert ready == []
        assert book.dirty == {SHARD}

    def test_a_commit_in_doubt_stops_memory_until_the_lease_is_renumbered(self) -> None:
        book, row = a_clear_book(epoch=4), a_row()
        book.doubt([SHARD])

        book.hold({SHARD: 4})  # a heartbeat that began before the doubt
        assert book.open({SHARD: [a_row()]}) is None

        book.hold({SHARD: 5})
        book.begin_scan([SHARD])
        book.end_scan([SHARD], complete=True)
        assert book.resolve(opened(book, row), committed=True) == [row]

    def test_a_ticket_of_an_older_lease_is_left_to_the_table(self) -> None:
        book = a_clear_book(epoch=4)
        late = opened(book, a_row())
        book.doubt([SHARD])
        book.hold({SHARD: 5})
        book.begin_scan([SHARD])
        book.end_scan([SHARD], complete=True)

        assert book.resolve(late, committed=True) == []
        assert book.dirty == {SHARD}

    @pytest.mark.parametrize("complete", [True, False])
    def test_what_commits_during_a_scan_is_scanned_again(self, complete: bool) -> None:
        book = ShardBook()
        book.hold({SHARD: 1})
        ticket = opened(book, a_row())
        book.begin_scan([SHARD])
        book.resolve(ticket, committed=True)

        book.end_scan([SHARD], complete=complete)

        assert book.dirty == {SHARD}
        assert book.resolve(opened(book, a_row()), committed=True) == [], "it would overtake"

    def test_shards_of_others_are_no_business_of_ours(self) -> None:
        book = a_clear_book()

        assert book.open({SHARD + 1: [a_row()]}) is None
        book.soil([SHARD + 1])
        assert book.dirty == set()

    def test_a_lease_without_an_epoch_is_none(self) -> None:
        book = ShardBook()
        assert book.open({SHARD: [a_row()]}) is None

        book.hold({SHARD: 0})
        book.begin_scan([SHARD])
        book.end_scan([SHARD], complete=True)

        assert book.epochs == {}
        assert book.dirty == {SHARD}

    def test_a_lease_that_goes_on_changes_nothing(self) -> None:
        book = a_clear_book()

        book.hold({SHARD: 1})

        assert book.dirty == set()

    def test_a_shard_that_was_lost_hides_no_other(self) -> None:
        book, row = ShardBook(), a_row(shard=SHARD + 1)
        book.hold({SHARD: 1, SHARD + 1: 1})
        ticket = book.open({SHARD: [a_row()], SHARD + 1: [row]})
        assert ticket is not None
        book.hold({SHARD + 1: 1})
        book.begin_scan([SHARD, SHARD + 1])
        book.end_scan([SHARD, SHARD + 1], complete=True)

        assert book.resolve(ticket, committed=True) == [row]

    def test_rows_of_all_its_shards_leave_together(self) -> None:
        book, one, other = ShardBook(), a_row(), a_row(shard=SHARD + 1)
        book.hold({SHARD: 1, SHARD + 1: 1})
        book.begin_scan([SHARD, SHARD + 1])
        book.end_scan([SHARD, SHARD + 1], complete=True)
        ticket = book.open({SHARD: [one], SHARD + 1: [other]})
        assert ticket is not None

        assert book.resolve(ticket, committed=True) == [one, other]


@dataclass
class Table:
    """The outbox as all replicas see it, and what Kafka has got."""

    rows: dict[UUID, tuple[Outgoing, int]] = field(default_factory=dict)
    committed: list[Outgoing] = field(default_factory=list)
    log: list[UUID] = field(default_factory=list)
    lease: int = 1
    holder: int = 0


class Replica:
    """Relay and carrier without I/O: each step may come as late as the test likes."""

    def __init__(self, table: Table) -> None:
        self.table, self.book = table, ShardBook()
        self.queue: list[Outgoing] = []
        self.sent: set[UUID] = set()
        self.reading: list[Outgoing] | None = None
        self.unheard: list[tuple[Ticket | None, bool, list[int]]] = []

    def commit(self, row: Outgoing, *, heard: bool) -> None:
        """The statement runs at the server; its answer is heard later, or never."""
        ticket = self.book.open({SHARD: [row]})
        epoch = ticket.epochs[SHARD] if ticket else 0
        older = [SHARD for _, other in self.table.rows.values() if other != epoch]
        self.table.rows[row.id] = (row, epoch)
        self.table.committed.append(row)
        self.unheard.append((ticket, heard, older))

    def hear(self, which: int = 0) -> None:
        if not self.unheard:
            return
        ticket, heard, older = self.unheard.pop(which % len(self.unheard))
        if ticket is None:
            return
        if heard:
            self.take(self.book.resolve(ticket, committed=True, foreign=older))
        else:
            self.book.doubt(ticket.epochs)
            self.take(self.book.resolve(ticket, committed=False))

    def take(self, rows: list[Outgoing]) -> None:
        new = [row for row in rows if row.id not in self.sent]
        self.sent |= {row.id for row in new}
        self.queue += new

    def read(self) -> None:
        """The table as it is now; what is done with it comes later."""
        if SHARD in self.book.dirty and self.reading is None:
            self.book.begin_scan([SHARD])
            self.reading = [row for row, _ in self.table.rows.values()]

    def scan(self) -> None:
        self.read()
        rows, self.reading = self.reading, None
        if rows is not None:
            self.take([row for row in self.table.committed if row in rows])
            self.book.end_scan([SHARD], complete=True)

    def send(self) -> None:
        self.table.log += [row.id for row in self.queue]
        self.queue = []

    def sweep(self) -> None:
        for row_id in [i for i in self.sent if i in self.table.log]:
            self.table.rows.pop(row_id, None)

    def tick(self, number: int) -> None:
        doubted = SHARD in self.book._shards and SHARD not in self.book.epochs
        if self.table.holder == number and doubted:
            self.table.lease += 1
        self.book.hold({SHARD: self.table.lease} if self.table.holder == number else {})

    def nudged(self) -> None:
        self.book.soil([SHARD])


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["commit", "lost", "hear", "hear", "read", "scan", "send", "sweep", "tick", "move"]
        ),
        st.integers(0, 1),
        st.integers(0, 2),
    ),
    min_size=30,
    max_size=60,
)


@pytest.mark.thorough
@given(STEPS)
@settings(max_examples=1000, deadline=None, phases=[Phase.generate, Phase.shrink])
def test_no_row_overtakes_an_older_one_of_its_key(steps: list[tuple[str, int, int]]) -> None:
    table = Table()
    replicas = [Replica(table), Replica(table)]
    replicas[0].tick(0)
    replicas[0].scan()
    for step, number, which in steps:
        replica = replicas[number]
        if step in ("commit", "lost"):
            replica.commit(a_row("ab"[which % 2]), heard=step == "commit")
        elif step == "hear":
            replica.hear(which)
        elif step == "move":
            table.holder, table.lease = number, table.lease + 1
        elif step == "tick":
            replica.tick(number)
        else:
            getattr(replica, step)()
    for _ in range(4):  # in the end all is quiet, and nothing may be left
        for number, replica in enumerate(replicas):
            while replica.unheard:
                replica.hear()
            replica.tick(number)
            replica.nudged()
            replica.scan()
            replica.send()
            replica.sweep()

    for key in "ab":
        committed = [row.id for row in table.committed if row.key == key]
        first_seen = list(dict.fromkeys(i for i in table.log if i in committed))
        assert first_seen == committed
    assert table.rows == {}
