"""Every referenced entity renamed once through the product, audited, and renamed back.

Renames come in rounds: one on each page, so that pages share an export. The whole app is exported
and all of it is audited against the source, each page for its own rename. So what a rename back
left behind would be found by the next audit; the last one is followed by an export that must be
the source, byte for byte. Audits run beside the next round.
"""

import asyncio
import io
import zipfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from chassis.clock import SystemClock
from services.studio.appsmith import App, Entity, ImportRefused, Kind, parse
from tests.realapps.doors import Doors, Listed, Outcome, Place, Refused
from tests.realapps.findings import Findings
from tests.realapps.foretold import Foreteller
from tests.realapps.referee import Referee
from tests.realapps.renames import Auditor
from tests.realapps.renaming import Told, referenced, unused_name
from tools.journey.client import Failed, demand

CLOCK = SystemClock()
AGAIN_EACH = 10
SHOWN = 3
FIGURES = (
    "renamed",
    "changes",
    "names in strings, left",
    "unclear places, left",
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
    """A rename: what was said dry, and what was said when it was made."""

    entity: Entity
    dry: Outcome
    said: Outcome


@dataclass(slots=True)
class ByProduct:
    """The check of one app. `told` hears how many of how many are done. `again_each`: of so many
    rounds one's tree is imported again."""

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
        begun = 0
        for number, entities in enumerate(rounds(todo)):
            self.told(begun, len(todo))
            begun += len(entities)
            done = [one for e in entities if (one := await self._renamed(e, new)) is not None]
            archive = await self.doors.export(self._app_id)
            if number % self.again_each == 0:
                await self._again(unzipped(archive))
            await self._back(done)
            if judging is not None:
                await judging
            judging = asyncio.create_task(self._judged(judge, done, archive))
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
        return Done(entity, dry, said)

    async def _back(self, done: Iterable[Done]) -> None:
        """All of a round. When one does not come back, the next ones start from the source."""
        different = []
        for one in done:
            try:
                back = await self.doors.rename(
                    one.said.entity_id, one.said.version, one.entity.name, dry=False
                )
            except Refused as refused:
                different.append(f"{one.entity.entity_id}: {refused}")
            else:
                if back.entity_id != self._ids[one.entity.entity_id]:
                    different.append(f"{one.entity.entity_id} is another one when renamed back")
        if different:
            self._count("back, different", len(different))
            self._complain("back", "; ".join(different[:SHOWN]))
            await self._bring()

    async def _judged(self, judge: "Judge", done: list[Done], archive: bytes) -> None:
        """Counts; the work is done beside."""
        files = unzipped(archive)
        if invalid := await asyncio.to_thread(judge.invalid, files):
            self._count("tree not valid")
            self._complain("tree not valid", invalid)
        pages = {one.entity.page for one in done}
        for one in done:
            verdict = await asyncio.to_thread(judge.judge, one, files, pages, self._entities)
            self._count("renamed")
            self._count("changes", len(one.said.changes))
            self._count("names in strings, left", len(one.said.mentions))
            self._count("unclear places, left", one.said.unclear)
            for figure, lines in verdict.items():
                self._count(figure, bool(lines))
                if lines:
                    self._complain(figure, f"{one.entity.entity_id}: {'; '.join(lines[:SHOWN])}")

    async def _again(self, files: Mapping[str, bytes]) -> None:
        """An exported tree is an app: as many entities of each kind, and the same bytes."""
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
            self._complain("imported again", str(failed))

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


def rounds(entities: Iterable[Entity]) -> list[list[Entity]]:
    """One of each page, as long as there are any; a page itself alone, for others may name it."""
    by_page: dict[str, list[Entity]] = defaultdict(list)
    pages: list[list[Entity]] = []
    for entity in entities:
        if entity.kind is Kind.PAGE:
            pages.append([entity])
        else:
            by_page[entity.page].append(entity)
    together = zip_longest(*by_page.values())
    return [[one for one in each if one is not None] for each in together] + pages


class Judge:
    """Judges renames to `new`, which stands nowhere in the app."""

    def __init__(self, app: App, referee: Referee, new: str) -> None:
        self._files, self._counts = app.files, app.counts
        self._new = new
        self._auditor = Auditor(app, referee)
        self._foreteller = Foreteller(app)

    def invalid(self, files: Mapping[str, bytes]) -> str:
        """Why a tree is no app, or not one of as many entities of each kind."""
        try:
            counts = parse(files).counts
        except ImportRefused as refused:
            return str(refused)
        return "" if counts == self._counts else f"other entities: {counts}"

    def judge(
        self,
        done: Done,
        files: Mapping[str, bytes],
        pages: Collection[str],
        entities: Mapping[str, Entity],
    ) -> dict[str, list[str]]:
        """What is wrong, by figure. `pages`: those that have a rename in `files`; of the other ones
        the source is taken, since they are judged for their own. `entities`: those that the
        product's ids name."""
        others = tuple(f"pages/{page}/" for page in pages if page != done.entity.page)
        mine = {path: body for path, body in files.items() if not path.startswith(others)}
        mine |= {path: body for path, body in self._files.items() if path.startswith(others)}
        return {
            "wrong": self._auditor.audit(mine, done.entity, self._new),
            "dry run, different": self._foretold(done, mine, entities),
        }

    def _foretold(
        self, done: Done, files: Mapping[str, bytes], entities: Mapping[str, Entity]
    ) -> list[str]:
        dry, said = done.dry, done.said
        if replace(dry, revision_id=None) != replace(said, revision_id=None, version=dry.version):
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
