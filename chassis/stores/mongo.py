"""Documents: MongoDB for what is immutable, unstructured or rebuildable. The only user of motor.

Kept to what MongoDB and FerretDB both do, and do fast: `insert_many` under ids of our own, reads
and replacements by `_id`, equality with a sort and a limit.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from bson import CodecOptions
from bson.binary import UuidRepresentation
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    ServerSelectionTimeoutError,
)

from chassis.errors import Unanswered, Unavailable

Document = dict[str, Any]  # whatever JSON and BSON share
_DUPLICATE_KEY = 11000
_CONCURRENT_READS_MAX = 16


@contextmanager
def _fates() -> Iterator[None]:
    try:
        yield
    except (NetworkTimeout, ExecutionTimeout) as error:
        raise Unanswered("mongo: no answer in time") from error
    except (ServerSelectionTimeoutError, AutoReconnect, ConnectionFailure) as error:
        raise Unavailable(f"mongo: {type(error).__name__}") from error


class Documents:
    """One database. Every call has the client's deadline. Raises Unavailable or Unanswered."""

    def __init__(self, client: Any, name: str) -> None:  # motor is untyped
        self._client = client
        self._database = client.get_database(
            name,
            codec_options=CodecOptions(
                tz_aware=True, uuid_representation=UuidRepresentation.STANDARD
            ),
        )

    @classmethod
    def open(cls, url: str, name: str, *, timeout: float = 5.0) -> "Documents":
        """Connects on first use. `timeout` bounds each call, in seconds."""
        client: Any = AsyncIOMotorClient(
            url,
            tz_aware=True,
            serverSelectionTimeoutMS=int(timeout * 1000),
            connectTimeoutMS=int(timeout * 1000),
            socketTimeoutMS=int(timeout * 1000),
            uuidRepresentation="standard",
        )
        return cls(client, name)

    def close(self) -> None:
        self._client.close()

    async def ping(self) -> None:
        """Raises Unavailable when the server does not answer."""
        with _fates():
            await self._client.admin.command("ping")

    async def insert_many_ignoring_duplicates(
        self, collection: str, documents: Sequence[Mapping[str, Any]]
    ) -> int:
        """Insert by `_id`; what is there already stays. How many were new."""
        if not documents:
            return 0
        with _fates():
            try:
                done = await self._database[collection].insert_many(documents, ordered=False)
            except BulkWriteError as error:
                details = error.details or {}
                if any(e["code"] != _DUPLICATE_KEY for e in details.get("writeErrors", ())):
                    raise
                return int(details.get("nInserted", 0))
            return len(done.inserted_ids)

    async def replace(self, collection: str, document: Mapping[str, Any]) -> None:
        """Write it under its `_id`, whatever is there. Only for what is derived from something
        else: all other documents never change."""
        with _fates():
            where = {"_id": document["_id"]}
            await self._database[collection].replace_one(where, dict(document), upsert=True)

    async def get(self, collection: str, identity: object) -> Document | None:
        """The document of this `_id`, or None."""
        with _fates():
            found: Document | None = await self._database[collection].find_one({"_id": identity})
            return found

    async def get_many(
        self, collection: str, identities: Sequence[object]
    ) -> list[Document | None]:
        """In the order asked for. Read one by one, concurrently: `$in` scans on FerretDB."""
        permits = asyncio.Semaphore(_CONCURRENT_READS_MAX)

        async def one(identity: object) -> Document | None:
            async with permits:
                return await self.get(collection, identity)

        return list(await asyncio.gather(*(one(identity) for identity in identities)))

    async def find(
        self,
        collection: str,
        where: Mapping[str, Any],
        *,
        sort: Sequence[tuple[str, int]] = (),
        limit: int,
        fields: Sequence[str] | None = None,
    ) -> list[Document]:
        """At most `limit` documents. Page by a range on the sorted field, not by skipping."""
        with _fates():
            cursor = self._database[collection].find(dict(where), list(fields) if fields else None)
            if sort:
                cursor = cursor.sort(list(sort))
            found: list[Document] = await cursor.limit(limit).to_list(limit)
            return found

    async def create_index(
        self, collection: str, fields: Sequence[tuple[str, int]], *, unique: bool = False
    ) -> None:
        """Safe to repeat."""
        with _fates():
            await self._database[collection].create_index(list(fields), unique=unique)

    async def count(self, collection: str, where: Mapping[str, Any]) -> int:
        with _fates():
            return int(await self._database[collection].count_documents(dict(where)))
