"""Every referenced entity, every function and page renamed once through the product, audited, and
renamed back; once more with the texts that are its name, where there are any.

Renames come in rounds: one on each page, so that pages share an export. The whole app is exported
and all of it is audited against the source, each page for its own rename. So what a rename back
left behind would be found by the next audit; the last one is followed by an export that must be
the source, byte for byte. Audits run beside the next round.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest

from chassis.clock import SystemClock
from services.studio.appsmith import App, Entity, Kind
from tests.realapps.doors import Doors, Listed, Refused
from tests.realapps.findings import Findings
from tests.realapps.judge import Done, Judge, unzipped
from tests.realapps.referee import Referee
from tests.realapps.renaming import Told, referenced, refusal_rule, unused_name
from tools.journey.client import Failed, demand

CLOCK = SystemClock()
AGAIN_EACH = 10
SHOWN = 3
GROUP, WITH_TEXTS = "renames, by the product", "renames with texts, by the product"
OF_RENAMES = ("renamed", "changes", "wrong", "dry run, different")
OF_ALL = (
    *("back, different", "tree not valid", "imported again", "imported again, different"),
    *("texts that are names", "unclear places"),
)
ALSO = (Kind.SCRIPT_FUNCTION, Kind.PAGE)
"""Renamed whether anything refers to them or not."""


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
    _new: str = ""
    _app_id: str = ""
    _ids: dict[str, str] = field(default_factory=dict)
    _entities: dict[str, Entity] = field(default_factory=dict)

    async def check(self, findings: Findings) -> None:
        """Its figures, and a line for each that went wrong. Raises Failed."""
        self.findings = findings
        figures = [f"{GROUP}: {figure}" for figure in OF_RENAMES + OF_ALL]
        figures += [f"{WITH_TEXTS}: {figure}" for figure in OF_RENAMES]
        for figure in figures:
            findings.figures[figure] += 0
        began = CLOCK.monotonic()
        self._new = unused_name(self.app)
        judge = Judge(self.app, self.referee, self._new)
        await self._bring()
        todo = [entity for _, entity in referenced(self.app)]
        todo += [entity for entity in self.app if entity.kind in ALSO]
        named_in_texts = await self._rename_all(judge, todo, texts=False)
        await self._rename_all(judge, named_in_texts, texts=True)
        await self._compare("in the end")
        self._count("seconds", round(CLOCK.monotonic() - began))

    async def _rename_all(self, judge: Judge, todo: list[Entity], *, texts: bool) -> list[Entity]:
        """Those whose names stand in texts that were left as they are."""
        named_in_texts: list[Entity] = []
        judging: asyncio.Task[None] | None = None
        begun = 0
        for number, entities in enumerate(rounds(todo)):
            self.told(begun, len(todo))
            begun += len(entities)
            tried = [await self._renamed(entity, texts=texts) for entity in entities]
            done = [one for one in tried if one is not None]
            named_in_texts += [one.entity for one in done if one.dry.mentions]
            archive = await self.doors.export(self._app_id)
            if number % self.again_each == 0:
                await self._again(unzipped(archive))
            await self._back(done)
            if judging is not None:
                await judging
            judging = asyncio.create_task(self._judged(judge, done, archive))
        if judging is not None:
            await judging
        return named_in_texts

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

    async def _renamed(self, entity: Entity, *, texts: bool) -> Done | None:
        entity_id = self._ids.get(entity.entity_id)
        if entity_id is None:
            return None
        version = await self.doors.version(entity_id)
        try:
            dry = await self.doors.rename(entity_id, version, self._new, dry=True, texts=texts)
            said = await self.doors.rename(entity_id, version, self._new, dry=False, texts=texts)
        except Refused as refused:
            rule = refusal_rule(str(refused))
            self.findings.explain(f"{GROUP}: refused", rule, f"{entity.entity_id}: {refused}")
            return None
        return Done(entity, dry, said, texts)

    async def _back(self, done: Iterable[Done]) -> None:
        """All of a round. When one does not come back, the next ones start from the source."""
        different = []
        for one in done:
            try:
                back = await self.doors.rename(
                    one.said.entity_id,
                    one.said.version,
                    one.entity.name,
                    dry=False,
                    texts=one.texts,
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

    async def _judged(self, judge: Judge, done: list[Done], archive: bytes) -> None:
        """Counts; the work is done beside."""
        files = unzipped(archive)
        if invalid := await asyncio.to_thread(judge.invalid, files):
            self._count("tree not valid")
            self._complain("tree not valid", invalid)
        pages = {one.entity.page for one in done}
        for one in done:
            group = WITH_TEXTS if one.texts else GROUP
            verdict = await asyncio.to_thread(judge.judge, one, files, pages, self._entities)
            self._count("renamed", group=group)
            self._count("changes", len(one.said.changes), group=group)
            self._count("texts that are names", len(one.said.mentions))
            self._count("unclear places", 0 if one.texts else one.said.unclear)
            for figure, lines in verdict.items():
                self._count(figure, bool(lines), group=group)
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

    def _count(self, figure: str, number: int = 1, *, group: str = GROUP) -> None:
        self.findings.figures[f"{group}: {figure}"] += number

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
