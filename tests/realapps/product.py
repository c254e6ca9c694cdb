"""Every referenced entity renamed once through the product, audited, and renamed back.

After each rename the whole app is exported and all of it is audited against the source. So what a
rename back left behind would be found by the next audit; the last one is followed by an export that
must be the source, byte for byte. Audits run beside the next rename.
"""

import asyncio
import io
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from chassis.clock import SystemClock
from services.studio.appsmith import App, Entity, ImportRefused, parse
from tests.realapps.doors import Doors, Listed, Outcome, Place, Refused
from tests.realapps.findings import Findings
from tests.realapps.foretold import Foreteller
from tests.realapps.referee import Referee
from tests.realapps.renames import Auditor
from tests.realapps.renaming import Told, referenced, unused_name
from tools.journey.client import Failed, demand

CLOCK = SystemClock()
AGAIN_EACH = 50
SHOWN = 3
FIGURES = (
    "renamed",
    "changes",
    "names in strings, left",
    "refused",
    "wrong",
    "dry run, different",
    "tree not valid",
    "imported again",
    "imported again, different",
    "back, different",
)
GROUP = "renames, by the product"


@dataclass(frozen=True, slots=True)
class Done:
    """A rename: what was said dry, what was said when it was made, and the files afterwards."""

    entity: Entity
    dry: Outcome
    said: Outcome
    archive: bytes


@dataclass(slots=True)
class ByProduct:
    """The check of one app. `told` hears how many of how many are done. `again_each`: of so many
    exported trees one is imported again."""

    name: str
    app: App
    referee: Referee
    doors: Doors
    told: Told
    again_each: int = AGAIN_EACH
    findings: Findings = field(init=False)
    _app_id: str = ""
    _ids: dict[str, str] = field(default_factory=dict)
    _entities: dict[str, Entity] = field(default_factory=dict)

    async def check(self, findings: Findings) -> None:
        """Its figures, and a line for each that went wrong. Raises Failed."""
        self.findings = findings
        for figure in FIGURES:
            self._count(figure, 0)
        began = CLOCK.monotonic()
        new = unused_name(self.app)
        judge = Judge(self.app, self.referee, new)
        await self._bring()
        todo = [entity for _, entity in referenced(self.app)]
        judging: asyncio.Task[None] | None = None
        for number, entity in enumerate(todo):
            self.told(number, len(todo))
            done = await self._renamed(entity, new)
            if judging is not None:
                await judging
            judging = asyncio.create_task(self._judged(judge, done)) if done else None
            if done is not None and number % self.again_each == 0:
                await self._again(done)
        if judging is not None:
            await judging
        await self._compare("in the end")
        self._count("seconds", round(CLOCK.monotonic() - began))

    async def _bring(self) -> None:
        self._app_id = await self.doors.bring(self.name, self.app.files)
        self._tie(await self.doors.entities(self._app_id))
        await self._compare("imported")

    def _tie(self, listed: list[Listed]) -> None:
        """Which id is whose, by kind, file and name; ids are opaque."""
        found: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        for one in listed:
            found[one.kind.lower(), one.path, one.name].append(one.entity_id)
        for entity in self.app:
            ids = found.pop((entity.kind.value, entity.path, entity.name), [])
            if len(ids) == 1:
                self._ids[entity.entity_id], self._entities[ids[0]] = ids[0], entity
            else:
                self._complain("listing", f"{entity.entity_id} is listed {len(ids)} times")
        for left in found:
            self._complain("listing", f"{left} is listed, and is not in the source")

    async def _renamed(self, entity: Entity, new: str) -> Done | None:
        entity_id = self._ids.get(entity.entity_id)
        if entity_id is None:
            return None
        version = await self.doors.version(entity_id)
        try:
            dry = await self.doors.rename(entity_id, version, new, dry=True)
            said = await self.doors.rename(entity_id, version, new, dry=False)
        except Refused as refused:
            self._count("refused")
            self._complain("refused", f"{entity.entity_id}: {refused}")
            return None
        archive = await self.doors.export(self._app_id)
        try:
            back = await self.doors.rename(said.entity_id, said.version, entity.name, dry=False)
            same = back.entity_id == entity_id
        except Refused as refused:
            self._complain("back", f"{entity.entity_id}: {refused}")
            same = False
        if not same:
            self._count("back, different")
            self._complain("back", f"{entity.entity_id} is another one when renamed back")
            await self._bring()  # so that the next ones start from the source
        return Done(entity, dry, said, archive)

    async def _judged(self, judge: "Judge", done: Done) -> None:
        """Counts; the work is done beside."""
        verdict = await asyncio.to_thread(judge.judge, done, self._entities)
        self._count("renamed")
        self._count("changes", len(done.said.changes))
        self._count("names in strings, left", len(done.said.mentions))
        for figure, lines in verdict.items():
            self._count(figure, bool(lines))
            if lines:
                self._complain(figure, f"{done.entity.entity_id}: {'; '.join(lines[:SHOWN])}")

    async def _again(self, done: Done) -> None:
        """An exported tree is an app: as many entities of each kind, and the same bytes."""
        files = unzipped(done.archive)
        self._count("imported again")
        try:
            app_id = await self.doors.bring(f"{self.name} again", files)
            counts = await self.doors.counts(app_id)
            same = unzipped(await self.doors.export(app_id)) == files
            await self.doors.forget(app_id)
            demand(same, "another export")
            demand(counts == await self.doors.counts(self._app_id), f"other entities: {counts}")
        except Failed as failed:
            self._count("imported again, different")
            self._complain("imported again", f"{done.entity.entity_id}: {failed}")

    async def _compare(self, when: str) -> None:
        """The export with the source, byte for byte."""
        exported, files = unzipped(await self.doors.export(self._app_id)), self.app.files
        paths = sorted(p for p in exported.keys() | files if exported.get(p) != files.get(p))
        if paths:
            self._count("back, different")
            self._complain("export", f"{when}: {len(paths)} files differ: {paths[:SHOWN]}")

    def _count(self, figure: str, number: int = 1) -> None:
        self.findings.figures[f"{GROUP}: {figure}"] += number

    def _complain(self, what: str, line: str) -> None:
        self.findings.unexplained.append(f"{GROUP}: {what}: {line}")


class Judge:
    """Judges renames to `new`, which stands nowhere in the app."""

    def __init__(self, app: App, referee: Referee, new: str) -> None:
        self._counts = app.counts
        self._new = new
        self._auditor = Auditor(app, referee)
        self._foreteller = Foreteller(app)

    def judge(self, done: Done, entities: Mapping[str, Entity]) -> dict[str, list[str]]:
        """What is wrong, by figure. `entities`: those that the product's ids name."""
        files = unzipped(done.archive)
        return {
            "wrong": self._auditor.audit(files, done.entity, self._new),
            "tree not valid": self._invalid(files),
            "dry run, different": self._foretold(done, files, entities),
        }

    def _invalid(self, files: Mapping[str, bytes]) -> list[str]:
        try:
            counts = parse(files).counts
        except ImportRefused as refused:
            return [str(refused)]
        return [] if counts == self._counts else [f"other entities: {counts}"]

    def _foretold(
        self, done: Done, files: Mapping[str, bytes], entities: Mapping[str, Entity]
    ) -> list[str]:
        dry, said = done.dry, done.said
        if (dry.changes, dry.mentions) != (said.changes, said.mentions):
            return ["the dry run's list is another one than the rename's"]
        if dry.more:
            return ["the list is cut"]
        if dry.revision_id is not None or said.revision_id is None:
            return [f"revisions: dry {dry.revision_id}, made {said.revision_id}"]
        places: list[tuple[Entity, Place]] = []
        for place in dry.changes:
            entity = entities.get(place.entity_id)
            if entity is None:
                return [f"the list names what is not there: {place.entity_id}"]
            places.append((entity, place))
        return self._foreteller.differences(files, done.entity.name, self._new, places)


def unzipped(archive: bytes) -> dict[str, bytes]:
    """Files by path."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}
