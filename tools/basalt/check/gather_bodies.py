"""Reads what is not in PostgreSQL: the feed and app contents in MongoDB, bundles in the blobs."""

import asyncio
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import PyMongoError

from tools.basalt.check.evidence import Evidence, Row
from tools.basalt.check.settings import CannotCheck, Limits

BATCH = 2_000
CONCURRENT_READS_MAX = 8
TIMEOUT_MS = 10_000
READ_BYTES = 1 << 20
FEED = ("activity", "feed")
MANIFESTS = ("studio", "revisions")
PACKS = ("studio", "packs")
Tell = Callable[[str], None]
Document = dict[str, Any]  # as MongoDB gives it


async def gather_feed(evidence: Evidence, url: str, limits: Limits, tell: Tell) -> None:
    """The feed's entries, without their bodies."""

    async def read(client: Any) -> None:  # motor is untyped
        fields = ("workspace_id", "type", "subject", "aggregate_version")
        total = 0
        async for batch in _batches(client, FEED, fields, limits):
            evidence.add(
                "feed",
                [(str(entry["_id"]), *(entry.get(name) for name in fields)) for entry in batch],
            )
            total += len(batch)
            tell(f"feed: {total} entries")
        if total >= limits.rows_max:
            evidence.say("cut", f"feed: only {total} entries were read")

    await _with_mongo(url, limits, read)


async def gather_contents(evidence: Evidence, url: str, limits: Limits, tell: Tell) -> None:
    """Which manifests there are, and whether the newest hold, with their packs, what their digests
    say. After PostgreSQL: what is named there was written here before."""

    async def read(client: Any) -> None:
        async for batch in _batches(client, MANIFESTS, (), limits):
            rows: list[Row] = [("revisions", str(each["_id"]), "listed", None) for each in batch]
            evidence.add("content", rows)
        named = [
            row[0]
            for row in evidence.ask(
                "SELECT ws || ':' || head_digest AS id FROM studio_app"
                " UNION SELECT ws || ':' || digest FROM revision LIMIT ?",
                limits.bodies_max + 1,
            )
        ]
        if len(named) > limits.bodies_max:
            evidence.say(
                "cut", f"contents: {limits.bodies_max} revisions were read in full: raise --bodies"
            )
        await _read_bodies(evidence, client, named[: limits.bodies_max], limits, tell)

    await _with_mongo(url, limits, read)


async def _with_mongo(url: str, limits: Limits, read: Any) -> None:  # a function of the client
    client: Any = AsyncIOMotorClient(
        url,
        serverSelectionTimeoutMS=TIMEOUT_MS,
        connectTimeoutMS=TIMEOUT_MS,
        socketTimeoutMS=int(limits.step_timeout_s * 1000),
    )
    try:
        async with asyncio.timeout(limits.timeout_s):
            await read(client)
    except (PyMongoError, TimeoutError, OSError) as error:
        raise CannotCheck(
            f"MongoDB does not answer ({type(error).__name__}): start it, or set MONGO_URL"
        ) from None
    finally:
        client.close()


async def _batches(
    client: Any, place: tuple[str, str], fields: Iterable[str], limits: Limits
) -> Any:
    database, collection = place
    wanted = dict.fromkeys(("_id", *fields), 1)
    cursor = client[database][collection].find({}, wanted, batch_size=BATCH).limit(limits.rows_max)
    batch: list[Document] = []
    async for document in cursor:
        batch.append(document)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def _read_bodies(
    evidence: Evidence, client: Any, named: list[str], limits: Limits, tell: Tell
) -> None:
    """Each manifest by its id, then its packs; what is missing in the list needs no reading."""
    there = {row[0] for row in evidence.ask("SELECT id FROM content")}
    packs: dict[str, str] = {}
    found = await _get(client, MANIFESTS, [name for name in named if name in there])
    for name, document in found.items():
        body = bytes(document["body"]) if document else b""
        workspace, _, digest = name.partition(":")
        sound = hashlib.sha256(body).hexdigest() == digest
        evidence.add("content", [("manifest", name, "ok" if sound else "corrupt", None)])
        if sound:
            for section in json.loads(body).get("sections", ()):
                packs.update({f"{workspace}:{pack}": name for pack in section["packs"]})
    wanted = list(packs)[: limits.bodies_max]
    if len(wanted) < len(packs):
        evidence.say("cut", f"contents: {len(wanted)} of {len(packs)} packs were read")
    for start in range(0, len(wanted), BATCH // 10):
        part = await _get(client, PACKS, wanted[start : start + BATCH // 10])
        rows: list[Row] = [
            ("packs", name, _pack_state(name, document), packs[name])
            for name, document in part.items()
        ]
        evidence.add("content", rows)
        tell(f"contents: {start + len(part)} of {len(wanted)} packs")


async def _get(client: Any, place: tuple[str, str], names: list[str]) -> dict[str, Document | None]:
    """By id, some at a time: `$in` scans on FerretDB."""
    permits = asyncio.Semaphore(CONCURRENT_READS_MAX)
    collection = client[place[0]][place[1]]

    async def one(name: str) -> Document | None:
        async with permits:
            found: Document | None = await collection.find_one({"_id": name})
            return found

    return dict(zip(names, await asyncio.gather(*map(one, names)), strict=True))


def _pack_state(name: str, document: Document | None) -> str:
    if document is None:
        return "missing"
    try:
        plain = zlib.decompress(bytes(document["body"]))
    except (zlib.error, KeyError, TypeError):
        return "corrupt"
    return "ok" if hashlib.sha256(plain).hexdigest() == name.partition(":")[2] else "corrupt"


async def gather_blobs(evidence: Evidence, folder: str, limits: Limits, tell: Tell) -> None:
    """The bundles of live releases, byte by byte, and which workspaces have a folder."""
    root = Path(folder)
    live = evidence.ask(
        "SELECT DISTINCT a.ws, r.bundle FROM release AS r JOIN delivery_app AS a ON a.id = r.app_id"
        " WHERE r.standing = 'live' OR r.id IN (SELECT release_id FROM pointer) LIMIT ?",
        limits.blobs_max + 1,
    )
    if live and not await asyncio.to_thread(root.is_dir):
        raise CannotCheck(f"there is no folder {folder}: set BLOB_DIR to that of the bundles")
    if len(live) > limits.blobs_max:
        evidence.say("cut", f"blobs: {limits.blobs_max} bundles were read: raise --blobs")
    async with asyncio.timeout(limits.timeout_s):
        for number, (workspace, digest) in enumerate(live[: limits.blobs_max]):
            rows = await asyncio.to_thread(_bundle, root, workspace, digest)
            evidence.add("blob", rows)
            tell(f"blobs: {number + 1} of {len(live)} bundles")
        evidence.add("blob", await asyncio.to_thread(_folders, root))


def _bundle(root: Path, workspace: str, digest: str) -> list[Row]:
    """The state of a bundle's document and of its packs, all told of the bundle."""
    state, document = _verify(root / workspace / digest, digest, keep=True)
    if state != "ok":
        return [(workspace, digest, f"its document is {state}")]
    faults = []
    for name in ("public", "private"):
        part = json.loads(document).get(name, {})
        if part.get("size"):
            pack = str(part.get("digest"))
            state, _ = _verify(root / workspace / pack, pack)
            if state != "ok":
                faults.append(f"its {name} pack is {state}")
    return [(workspace, digest, "; ".join(faults) or "ok")]


def _verify(file: Path, digest: str, *, keep: bool = False) -> tuple[str, bytes]:
    hasher, kept = hashlib.sha256(), b""
    try:
        with file.open("rb") as opened:
            while chunk := opened.read(READ_BYTES):
                hasher.update(chunk)
                kept += chunk if keep else b""
    except FileNotFoundError:
        return "missing", b""
    except OSError as error:
        return f"unreadable ({error.strerror})", b""
    return ("ok" if hasher.hexdigest() == digest else "corrupt"), kept


def _folders(root: Path) -> list[Row]:
    if not root.is_dir():
        return []
    return [(folder.name, "", "folder") for folder in root.iterdir() if folder.is_dir()]
