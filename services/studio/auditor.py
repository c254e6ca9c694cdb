"""Auditor: reads the code of heads anew and compares it with what is stored of it.

Slowly: a few sections at a look, one app after another, for a small share of the time. What is
stored is immutable and named by its section, so nothing that happens meanwhile makes a difference:
whatever differs is a fault. `basalt_invariant_violations{name="stored_graph"}` is the number of
sections found so in this time through the apps or the last one, and a log line names each.

A difference is written right, too: all that is told of an app's references, and whether it may be
published, comes from there, and the documents are what counts. Readings that are missing are no
fault (a newer reader has not been there yet): they are made, as whoever asks for them would.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

import structlog
from prometheus_client import Counter

from chassis.errors import Conflict, Unavailable
from chassis.observability.metrics import VIOLATIONS
from chassis.resources import Resources
from chassis.stores.mongo import Document
from chassis.wiring import Wiring
from services.studio.appsmith import ImportRefused, Manifest, PackBroken, unpack_section
from services.studio.references.section_readings import (
    ReadingsBroken,
    SectionReadings,
    decode,
    read_section,
)
from services.studio.settings import Settings
from services.studio.store.contents import MANIFESTS, PACKS
from services.studio.store.graphs import GRAPH_CACHE, READING_CACHE, READINGS, Graphs, Key, keys_of

log = structlog.get_logger()

NAME = "stored_graph"
AUDITED = Counter("basalt_studio_audited_sections_total", "Sections audited", ["outcome"])
TOLD_MAX = 1000
"""Sections that are remembered as broken."""

_FIRST = UUID(int=0)
_NEXT = """SELECT id, workspace_id, state->>'head_digest' AS head FROM app WHERE id > $1
ORDER BY id LIMIT 1"""


class Outcome(StrEnum):
    """What became of a section. LOST: its source is not there, which `basalt check` tells."""

    SAME = "same"
    DIFFERENT = "different"
    MADE = "made"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Place:
    """A section of an app's head."""

    workspace_id: UUID
    app_id: UUID
    section: str


@dataclass
class _Sweep:
    """How far it is through the apps, what it found on the way, and what the last one found."""

    after: UUID = _FIRST
    todo: deque[tuple[Place, Manifest]] = field(default_factory=deque)
    found: list[Place] = field(default_factory=list)
    before: list[Place] = field(default_factory=list)


class Auditor:
    """One replica's auditor: `run` for ever."""

    def __init__(self, resources: Resources) -> None:
        settings: Settings = resources.settings
        self._period, self._share = settings.audit_period_s, settings.audit_share_max
        self._sections_max = settings.audit_sections_max
        self._database, self._documents = resources.database, resources.mongo
        self._clock = resources.clock
        self._graphs = Graphs(resources)
        self.sweep = _Sweep()
        self._spent = 0.0

    async def run(self) -> None:
        """Look again and again until cancelled. A store that is away is waited for."""
        while True:
            await self._clock.sleep(max(self._period, self._spent / self._share))
            self._spent = 0.0
            try:
                await self.look()
            except (Unavailable, Conflict) as error:
                log.warning("auditor_waits", reason=str(error))

    async def look(self) -> list[Place]:
        """Audit the next few sections. All that were found broken, in this time through the apps or
        the last one."""
        for _ in range(self._sections_max):
            if not self.sweep.todo and not await self._next_app():
                self.sweep = _Sweep(before=self.sweep.found)
                break
            if self.sweep.todo:
                place, manifest = self.sweep.todo[0]
                outcome = await self._audit(place, manifest)
                self.sweep.todo.popleft()
                AUDITED.labels(outcome).inc()
                if outcome is Outcome.DIFFERENT:
                    self.sweep.found.append(place)
        broken = list(dict.fromkeys(self.sweep.before + self.sweep.found))[:TOLD_MAX]
        VIOLATIONS.labels(NAME).set(len(broken))
        return broken

    async def _next_app(self) -> bool:
        """Whether there is one more."""
        row = await self._database.fetchrow(_NEXT, self.sweep.after)
        if row is None:
            return False
        workspace_id, app_id, head = row["workspace_id"], row["id"], row["head"]
        document = await self._documents.get(MANIFESTS, f"{workspace_id}:{head}")
        if document is None:
            log.warning("audit_without_manifest", app_id=str(app_id))
        elif manifest := _manifest_in(document, app_id):
            places = [Place(workspace_id, app_id, one.name) for one in manifest.sections]
            self.sweep.todo.extend((place, manifest) for place in places)
        self.sweep.after = app_id
        return True

    async def _audit(self, place: Place, manifest: Manifest) -> Outcome:
        key = keys_of(place.workspace_id, manifest, [place.section])[place.section]
        packs = manifest.packs_of(place.section)
        identities = [f"{place.workspace_id}:{digest}" for digest in packs]
        bodies = await self._documents.get_many(PACKS, identities)
        found = [bytes(one.get("body", b"")) for one in bodies if one is not None]
        if len(found) < len(packs):
            log.warning("audit_without_source", app_id=str(place.app_id), section=place.section)
            return Outcome.LOST
        stored = await self._stored(key)
        began = self._clock.monotonic()
        own = list(zip(packs, found, strict=True))
        version = manifest.format_version
        try:
            computed, same = await asyncio.to_thread(_compared, place.section, version, own, stored)
        except (PackBroken, ImportRefused) as error:
            log.warning("audit_without_source", app_id=str(place.app_id), reason=str(error))
            return Outcome.LOST
        self._spent += self._clock.monotonic() - began
        kept = READING_CACHE.peek(key)
        if same and (kept is None or _alike(kept, computed)):
            return Outcome.SAME
        if not stored:
            await self._graphs.keep([(key, computed)])
            return Outcome.MADE
        await self._mend(place, key, computed, in_store=not same)
        return Outcome.DIFFERENT

    async def _stored(self, key: Key) -> list[Document]:
        """What is stored under the key, in its parts; not what this process keeps of it."""
        name = f"{key[0]}:{key[1]}"
        first = await self._documents.get(READINGS, name)
        if first is None:
            return []
        parts = first.get("parts")
        names = [f"{name}:{n}" for n in range(1, parts if isinstance(parts, int) else 1)]
        more = await self._documents.get_many(READINGS, names)
        return [first, *(one for one in more if one is not None)]

    async def _mend(
        self, place: Place, key: Key, computed: SectionReadings, *, in_store: bool
    ) -> None:
        log.error(
            "invariant_broken",
            name=NAME,
            workspace_id=str(place.workspace_id),
            app_id=str(place.app_id),
            section=place.section,
            in_store=in_store,
            entities=len(computed.entities),
        )
        if in_store:
            await self._graphs.keep([(key, computed)], anew=True)
        READING_CACHE.clear()
        GRAPH_CACHE.clear()


def _manifest_in(document: Document, app_id: UUID) -> Manifest | None:
    """None when it is none: whatever one app's is, the others have their turn."""
    try:
        return Manifest.model_validate_json(bytes(document["body"]))
    except (ValueError, KeyError, TypeError):
        log.warning("audit_without_manifest", app_id=str(app_id))
        return None


def _compared(
    section: str, version: int, packs: list[tuple[str, bytes]], stored: list[Document]
) -> tuple[SectionReadings, bool]:
    """What the section's code says, and whether that is what is stored."""
    computed = read_section(unpack_section(section, version, packs))
    try:
        whole = bool(stored) and stored[0]["parts"] == len(stored)
        same = whole and _alike(decode(bytes(one["body"]) for one in stored), computed)
    except (ReadingsBroken, KeyError, TypeError):
        same = False
    return computed, same


def _alike(one: SectionReadings, other: SectionReadings) -> bool:
    return one == other and [*one.entities] == [*other.entities]


def audited(wiring: Wiring) -> None:
    """`Service(extend=(audited,))`."""
    wiring.run("graph-auditor", Auditor(wiring.resources).run)
