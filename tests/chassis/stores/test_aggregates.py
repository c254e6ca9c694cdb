"""AggregateStore on a real PostgreSQL."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from chassis.clock import SystemClock, new_id
from chassis.errors import Conflict
from chassis.resources import Resources
from chassis.stores.aggregates import AggregateStore
from chassis.stores.chunks import FlushFirst
from chassis.stores.migrate import CHASSIS, migrate
from chassis.stores.postgres import Database, Reading, Statement

TABLE = """
CREATE TABLE note (
    id uuid PRIMARY KEY, workspace_id uuid, revision bigint NOT NULL, version bigint NOT NULL,
    state jsonb NOT NULL, title text UNIQUE, size bigint
)
"""


@dataclass
class Line:
    text: str
    marks: dict[UUID, int] = field(default_factory=dict)


@dataclass
class Note:
    note_id: UUID
    workspace_id: UUID
    title: str
    lines: list[Line] = field(default_factory=list)


class Notes(AggregateStore[Note]):
    table = "note"
    aggregate = Note
    announces = "note"
    columns = {  # noqa: RUF012
        "title": ("text", lambda note: note.title),
        "size": ("bigint", lambda note: len(note.lines)),
    }

    @staticmethod
    def key(note: Note) -> UUID:
        return note.note_id


@pytest.fixture
async def database(fresh_database: str) -> AsyncIterator[Database]:
    await migrate(fresh_database, [CHASSIS])
    database = await Database.open(fresh_database)
    await database.execute(TABLE)
    yield database
    await database.close()


def a_note(title: str = "") -> Note:
    note_id = new_id()
    return Note(note_id, new_id(), title or str(note_id), [Line("one", {new_id(): 1})])


def notes_of(database: Database) -> Notes:
    """A new chunk."""
    return Notes(Resources(None, SystemClock(), opened={"postgres": database}))


async def flush(notes: Notes, database: Database) -> None:
    statement = Statement()
    notes.flush(statement)
    if statement:
        await statement.run(database)


async def saved(database: Database, *notes: Note) -> None:
    store = notes_of(database)
    for note in notes:
        store.save(note)
    await flush(store, database)


class TestRows:
    async def test_what_was_saved_is_found_again(self, database: Database) -> None:
        note = a_note("found")

        await saved(database, note)

        store = notes_of(database)
        assert await store.get(note.note_id) == note
        assert await store.get(note.note_id) is await store.find("title = $1", "found")
        row = await database.fetchrow("SELECT * FROM note")
        assert (row["workspace_id"], row["size"], row["revision"]) == (note.workspace_id, 1, 1)

    async def test_many_are_read_in_one_query_and_in_order(self, database: Database) -> None:
        first, second = a_note(), a_note()
        await saved(database, first, second)

        found = await notes_of(database).get_many([second.note_id, new_id(), first.note_id])

        assert found == [second, first]

    async def test_the_chunks_first_query_loads_what_it_is_told(self, database: Database) -> None:
        note = a_note()
        await saved(database, note)
        store, reading = notes_of(database), Reading()

        store.reads(reading, [str(note.note_id), str(new_id()), "no uuid"])
        await reading.run(database)
        await database.execute("DELETE FROM note")

        assert await store.get(note.note_id) == note, "no second query"

    async def test_update_and_delete_hit_what_was_read(self, database: Database) -> None:
        kept, dropped = a_note(), a_note()
        await saved(database, kept, dropped)
        store = notes_of(database)
        for note in await store.get_many([kept.note_id, dropped.note_id]):
            if note == dropped:
                store.delete(note)
            else:
                note.lines.clear()
                store.save(note)

        await flush(store, database)

        rows = await database.fetch("SELECT id, revision, size FROM note")
        assert [tuple(row) for row in rows] == [(kept.note_id, 2, 0)]

    async def test_a_row_deleted_and_saved_again_stays(self, database: Database) -> None:
        note = a_note()
        await saved(database, note)
        store = notes_of(database)
        found = await store.get(note.note_id)
        assert found is not None
        store.delete(found)
        store.save(a_note())
        store.save(found)

        await flush(store, database)

        assert await database.fetchval("SELECT count(*) FROM note") == 2


class TestConflicts:
    async def test_a_change_in_between_is_a_conflict_and_changes_nothing(
        self, database: Database
    ) -> None:
        mine, others = a_note(), a_note()
        await saved(database, mine, others)
        slow = notes_of(database)
        for note in await slow.get_many([mine.note_id, others.note_id]):
            note.lines.append(Line("slow"))
            slow.save(note)
        await database.execute("UPDATE note SET revision = 7 WHERE id = $1", others.note_id)

        with pytest.raises(Conflict):
            await flush(slow, database)

        rows = await database.fetch("SELECT size FROM note")
        assert [row["size"] for row in rows] == [1, 1]

    async def test_a_taken_unique_column_is_a_conflict(self, database: Database) -> None:
        await saved(database, a_note("taken"))

        with pytest.raises(Conflict, match="note_title_key"):
            await saved(database, a_note("taken"))


class TestUndo:
    async def test_restore_forgets_one_message_only(self, database: Database) -> None:
        note, other = a_note(), a_note()
        await saved(database, note)
        store = notes_of(database)
        store.snapshot()
        first = await store.get(note.note_id)
        assert first is not None
        first.lines.append(Line("kept"))
        store.save(first)
        assert store.announce(str(note.note_id)) == 1

        before = store.snapshot()
        again = await store.get(note.note_id)
        assert again is not None
        again.lines.append(Line("undone"))
        store.save(again)
        store.save(other)
        assert store.announce(str(note.note_id)) == 2
        store.restore(before)
        await flush(store, database)

        rows = await database.fetch("SELECT id, version, size FROM note")
        assert [tuple(row) for row in rows] == [(note.note_id, 1, 2)]

    async def test_a_change_that_is_not_saved_is_not_seen_by_the_next(
        self, database: Database
    ) -> None:
        note = a_note()
        await saved(database, note)
        store = notes_of(database)
        store.snapshot()
        touched = await store.get(note.note_id)
        assert touched is not None
        touched.title = "never saved"

        store.snapshot()

        assert await store.get(note.note_id) == note

    async def test_restore_brings_a_deleted_one_back(self, database: Database) -> None:
        note = a_note()
        await saved(database, note)
        store = notes_of(database)
        before = store.snapshot()
        found = await store.get(note.note_id)
        assert found is not None
        store.delete(found)
        assert await store.get(note.note_id) is None

        store.restore(before)

        assert await store.get(note.note_id) == note

    async def test_only_what_this_message_saved_is_announced(self, database: Database) -> None:
        note = a_note()
        store = notes_of(database)
        store.snapshot()
        store.save(note)
        assert store.announce(str(note.note_id)) == 1

        store.snapshot()
        assert await store.get(note.note_id) is not None

        assert store.announce(str(note.note_id)) is None


async def test_reading_through_asks_for_a_flush_after_an_earlier_save(database: Database) -> None:
    store = notes_of(database)
    store.snapshot()
    store.save(a_note())

    store.snapshot()

    with pytest.raises(FlushFirst):
        await store.find("title = $1", "any")
