"""AggregateStore: plain dataclasses in PostgreSQL rows, with an identity map for a chunk.

A row is `id`, `workspace_id`, `revision` (compare-and-set counter), `version` (gapless number of
announced events), `state` (jsonb) and the extracted `columns`. The chassis keeps the two counters;
models know neither.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from chassis.clock import uuid_of_text
from chassis.stores.chunks import ChunkStore, FlushFirst
from chassis.stores.statement import Reading, Row, Statement

if TYPE_CHECKING:
    from chassis.resources import Resources

Aggregate = TypeVar("Aggregate")
Key = UUID | str


@dataclass(slots=True)
class _Entry(Generic[Aggregate]):
    """One aggregate of the chunk. `value` None with `body` set: parsed again on the next touch."""

    key: Key
    value: Aggregate | None
    body: bytes | None  # the state as JSON; None: absent, or older than `value`
    base: int | None  # the revision in the database; None: not there
    version: int
    present: bool
    dirty: bool = False


_Before = tuple[bytes | None, int, bool, bool]  # what a message's undo needs of an entry


@cache
def _adapter_of(aggregate: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(aggregate)


class AggregateStore(ChunkStore, Generic[Aggregate]):
    """Subclass it and name `table`, `aggregate`, `key` and, as needed, the others."""

    table: ClassVar[str]
    aggregate: ClassVar[type[Any]]  # a dataclass that pydantic can read
    columns: ClassVar[Mapping[str, tuple[str, Callable[[Any], object]]]] = {}
    """Extracted lookup columns: name -> (SQL type, value of an aggregate)."""

    id_type: ClassVar[str] = "uuid"  # or "text"
    _adapter: ClassVar[TypeAdapter[Any]]

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if hasattr(cls, "aggregate"):
            cls._adapter = _adapter_of(cls.aggregate)  # type: ignore[arg-type]  # classes hash

    def __init__(self, resources: "Resources") -> None:
        super().__init__(resources)
        self._entries: dict[str, _Entry[Aggregate]] = {}
        self._touched: dict[str, _Before] = {}
        self._saved: set[str] = set()
        self._earlier = False  # an earlier message of this chunk saved something

    @staticmethod
    def key(aggregate: Any) -> Key:  # narrowed by each store
        """The row id: the contract KEY's value when the store announces."""
        raise NotImplementedError

    # --- what handlers see

    async def get(self, key: Key) -> Aggregate | None:
        """The aggregate, or None. Within a chunk always the same object."""
        name = str(key)
        if name not in self._entries:
            await self.preload([name])
        return self._touch(name)

    async def get_many(self, keys: Sequence[Key]) -> list[Aggregate]:
        """Those that exist, in the order of `keys`, with one query for what is not loaded."""
        names = [str(key) for key in keys]
        await self.preload(names)
        found = (self._touch(name) for name in names)
        return [value for value in found if value is not None]

    def save(self, aggregate: Aggregate) -> None:
        """Insert or update at the flush."""
        key = self.key(aggregate)
        name = str(key)
        entry = self._entries.get(name)
        if entry is None:  # never looked up: new, or the primary key says Conflict
            entry = _Entry(key, None, None, None, 0, present=False)
            self._entries[name] = entry
        self._remember(name, entry)
        entry.value, entry.body, entry.present, entry.dirty = aggregate, None, True, True
        self._saved.add(name)

    def delete(self, aggregate: Aggregate) -> None:
        """Delete the row at the flush. Deleting what is gone is fine."""
        name = str(self.key(aggregate))
        entry = self._entries.get(name)
        if entry is not None:
            self._remember(name, entry)
            entry.present, entry.dirty = False, True
            self._saved.add(name)

    async def find(self, where: str, *args: object) -> Aggregate | None:
        """The first aggregate that fulfils the SQL condition (`email = $1`)."""
        found = await self.find_many(f"{where} LIMIT 1", *args)
        return found[0] if found else None

    async def find_many(self, where: str, *args: object) -> list[Aggregate]:
        """Those that fulfil the condition, which may go on with ORDER BY and LIMIT."""
        if self._earlier:
            raise FlushFirst
        sql = (
            f"SELECT id::text, revision, version, NULL::text, state::text"  # noqa: S608
            f" FROM {self.table} WHERE {where}"
        )
        rows = await self.resources.database.fetch(sql, *args)
        self._load(tuple(row) for row in rows)
        found = (self._touch(row[0]) for row in rows)
        return [value for value in found if value is not None]

    # --- what the chunk calls

    def reads(self, reading: Reading, keys: Sequence[str]) -> None:
        missing = self._missing(keys)
        if missing:
            reading.add(self._select("{}"), missing, into=self._load)
            self._expect_absent(missing)

    async def preload(self, keys: Sequence[str]) -> None:
        missing = self._missing(keys)
        if missing:
            rows = await self.resources.database.fetch(self._select("$1"), missing)
            self._expect_absent(missing)
            self._load(tuple(row) for row in rows)

    def snapshot(self) -> object:
        for name, before in self._touched.items():
            entry = self._entries[name]
            if name not in self._saved:  # touched, perhaps changed, but not saved: forget it
                entry.value, entry.body = None, before[0]
        self._earlier = self._earlier or bool(self._saved)
        self._touched, self._saved = {}, set()
        return self._touched

    def restore(self, snapshot: object) -> None:
        for name, (body, version, present, dirty) in self._touched.items():
            entry = self._entries[name]
            entry.value, entry.body, entry.version = None, body, version
            entry.present, entry.dirty = present, dirty
        self._touched, self._saved = {}, set()

    def announce(self, key: str) -> int | None:
        if key not in self._saved:
            return None
        entry = self._entries[key]
        entry.version += 1
        return entry.version

    def flush(self, statement: Statement) -> None:
        self.snapshot()
        dirty = sorted(name for name, entry in self._entries.items() if entry.dirty)
        entries = [self._entries[name] for name in dirty]
        self._insert(statement, [e for e in entries if e.present and e.base is None])
        self._update(statement, [e for e in entries if e.present and e.base is not None])
        self._delete(statement, [e for e in entries if not e.present and e.base is not None])

    # --- private

    def _missing(self, keys: Sequence[str]) -> list[Key]:
        wanted = [key for key in dict.fromkeys(keys) if key not in self._entries]
        if self.id_type != "uuid":
            return list(wanted)
        return [found for key in wanted if (found := _uuid(key)) is not None]

    def _select(self, placeholder: str) -> str:
        return (
            f"SELECT id::text, revision, version, NULL::text, state::text"  # noqa: S608
            f" FROM {self.table} WHERE id = ANY({placeholder}::{self.id_type}[])"
        )

    def _expect_absent(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._entries[str(key)] = _Entry(key, None, None, None, 0, present=False)

    def _load(self, rows: Iterable[Row]) -> None:
        for name, revision, version, _, state in rows:
            entry = self._entries.get(name)
            if entry is not None and (entry.dirty or entry.base is not None):
                continue  # the chunk knows better than the database
            key: Key = uuid_of_text(name) if self.id_type == "uuid" else name
            body = state.encode() if state is not None else None
            self._entries[name] = _Entry(key, None, body, revision, version or 0, present=True)

    def _touch(self, name: str) -> Aggregate | None:
        entry = self._entries.get(name)
        if entry is None or not entry.present:
            return None
        self._remember(name, entry)
        if entry.value is None:
            entry.value = self._adapter.validate_json(entry.body or b"null")
        return entry.value

    def _remember(self, name: str, entry: _Entry[Aggregate]) -> None:
        if name not in self._touched:
            self._touched[name] = (self._body(entry), entry.version, entry.present, entry.dirty)

    def _body(self, entry: _Entry[Aggregate]) -> bytes | None:
        if entry.body is None and entry.value is not None:
            entry.body = self._adapter.dump_json(entry.value)
        return entry.body

    def _rows(self, entries: Sequence[_Entry[Aggregate]]) -> tuple[str, list[list[object]]]:
        """The columns beside id and counters: their unnest placeholders, and their arrays."""
        kinds = ["uuid", "text", *(kind for kind, _ in self.columns.values())]
        arrays: list[list[object]] = [[] for _ in kinds]
        for entry in entries:
            body = self._body(entry)
            value = entry.value
            if value is None:
                value = entry.value = self._adapter.validate_json(body or b"null")
            arrays[0].append(getattr(value, "workspace_id", None))
            arrays[1].append((body or b"null").decode())
            for array, (_, extract) in zip(arrays[2:], self.columns.values(), strict=True):
                array.append(extract(value))
        return ", ".join(f"{{}}::{kind}[]" for kind in kinds), arrays

    def _insert(self, statement: Statement, entries: Sequence[_Entry[Aggregate]]) -> None:
        if not entries:
            return
        placeholders, arrays = self._rows(entries)
        extra = "".join(f", {name}" for name in self.columns)
        statement.add(
            f"INSERT INTO {self.table} (id, revision, version, workspace_id, state{extra})"  # noqa: S608
            f" SELECT id, 1, version, workspace_id, state::jsonb{extra}"
            f" FROM unnest({{}}::{self.id_type}[], {{}}::bigint[], {placeholders})"
            f" AS u(id, version, workspace_id, state{extra})",
            [entry.key for entry in entries],
            [entry.version for entry in entries],
            *arrays,
        )

    def _update(self, statement: Statement, entries: Sequence[_Entry[Aggregate]]) -> None:
        if not entries:
            return
        placeholders, arrays = self._rows(entries)
        extra = "".join(f", {name}" for name in self.columns)
        setters = "".join(f", {name} = u.{name}" for name in self.columns)
        statement.add(
            f"UPDATE {self.table} AS r SET revision = u.base + 1, version = u.version,"  # noqa: S608
            f" workspace_id = u.workspace_id, state = u.state::jsonb{setters}"
            f" FROM unnest({{}}::{self.id_type}[], {{}}::bigint[], {{}}::bigint[], {placeholders})"
            f" AS u(id, base, version, workspace_id, state{extra})"
            " WHERE r.id = u.id AND r.revision = u.base",
            [entry.key for entry in entries],
            [entry.base for entry in entries],
            [entry.version for entry in entries],
            *arrays,
            expect=len(entries),
        )

    def _delete(self, statement: Statement, entries: Sequence[_Entry[Aggregate]]) -> None:
        if not entries:
            return
        statement.add(
            f"DELETE FROM {self.table} AS r"  # noqa: S608
            f" USING unnest({{}}::{self.id_type}[], {{}}::bigint[]) AS u(id, base)"
            " WHERE r.id = u.id AND r.revision = u.base",
            [entry.key for entry in entries],
            [entry.base for entry in entries],
            expect=len(entries),
        )


def _uuid(text: str) -> UUID | None:
    try:
        return uuid_of_text(text)
    except ValueError:
        return None
