"""Documents and blobs of a simulated platform: in memory, behind a link that may fail.

What is kept outlives the processes. They pass the contract tests of the real ones
(tests/chassis/stores).
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import partial
from typing import Any
from uuid import UUID

from chassis.stores.blobs import digest_of
from chassis.stores.mongo import Document, Documents
from chassis.testing.blobs import MemoryBlobs
from chassis.testing.simulation.postgres import DIRECT
from chassis.testing.simulation.postgres.database import Link

Collections = dict[str, dict[object, Document]]
"""Documents by collection and `_id`."""

_COMPARES: dict[str, Callable[[Any, Any], bool]] = {
    "$lt": lambda value, than: value < than,
    "$lte": lambda value, than: value <= than,
    "$gt": lambda value, than: value > than,
    "$gte": lambda value, than: value >= than,
    "$in": lambda value, among: value in among,
}


def kept() -> Collections:
    """An empty database."""
    return defaultdict(dict)


class SimDocuments(Documents):
    """A process's connection to a database of documents. A filter that it does not know raises."""

    def __init__(self, collections: Collections, link: Link = DIRECT) -> None:
        self._collections, self._link = collections, link

    def close(self) -> None:
        """There is nothing to close."""

    async def ping(self) -> None:
        await self._link.call("mongo ping", lambda: None)

    async def insert_many_ignoring_duplicates(
        self, collection: str, documents: Sequence[Mapping[str, Any]]
    ) -> int:
        if not documents:
            return 0
        work = partial(
            _insert, self._collections[collection], [deepcopy(dict(each)) for each in documents]
        )
        return await self._link.call("mongo insert", work)

    async def replace(self, collection: str, document: Mapping[str, Any]) -> None:
        there, copy = self._collections[collection], deepcopy(dict(document))
        await self._link.call("mongo replace", lambda: there.update({copy["_id"]: copy}))

    async def get(self, collection: str, identity: object) -> Document | None:
        found = self._collections[collection]
        return deepcopy(await self._link.call("mongo get", lambda: found.get(identity)))

    async def find(
        self,
        collection: str,
        where: Mapping[str, Any],
        *,
        sort: Sequence[tuple[str, int]] = (),
        limit: int,
        fields: Sequence[str] | None = None,
    ) -> list[Document]:
        rows = await self._link.call("mongo find", partial(self._matching, collection, where))
        for name, direction in reversed(sort):
            rows.sort(key=lambda row: row[name], reverse=direction < 0)
        wanted = None if fields is None else {"_id", *fields}
        return [
            {name: value for name, value in deepcopy(row).items() if not wanted or name in wanted}
            for row in rows[:limit]
        ]

    async def create_index(
        self, collection: str, fields: Sequence[tuple[str, int]], *, unique: bool = False
    ) -> None:
        assert not unique, "unique indexes are not simulated"

    async def count(self, collection: str, where: Mapping[str, Any]) -> int:
        return len(await self._link.call("mongo count", partial(self._matching, collection, where)))

    def _matching(self, collection: str, where: Mapping[str, Any]) -> list[Document]:
        return [row for row in self._collections[collection].values() if _matches(row, where)]


class SimBlobs(MemoryBlobs):
    """A process's way to the blobs, which all processes share."""

    def __init__(self, bodies: dict[tuple[UUID, str], bytes], link: Link = DIRECT) -> None:
        super().__init__()
        self.bodies, self._link = bodies, link

    async def put(self, workspace_id: UUID, body: bytes) -> str:
        return await self._link.call("blob put", partial(self._keep, workspace_id, body))

    async def get(self, workspace_id: UUID, digest: str) -> bytes:
        await self._link.call("blob get", lambda: None)
        return await super().get(workspace_id, digest)

    def _keep(self, workspace_id: UUID, body: bytes) -> str:
        digest = digest_of(body)
        self.bodies[workspace_id, digest] = body
        return digest


def _insert(there: dict[object, Document], documents: list[Document]) -> int:
    before = len(there)
    for document in documents:
        there.setdefault(document["_id"], document)
    return len(there) - before


def _matches(row: Document, where: Mapping[str, Any]) -> bool:
    for name, wanted in where.items():
        if name.startswith("$"):
            raise NotImplementedError(f"{name} is not simulated")
        if not isinstance(wanted, Mapping):
            if row.get(name) != wanted:
                return False
        elif not all(_COMPARES[verb](row[name], than) for verb, than in wanted.items()):
            return False
    return True
