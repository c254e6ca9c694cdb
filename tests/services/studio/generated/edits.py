"""Edits at random of a planned app, through the studio on real stores: what a person does to it, in
any order, and what they may be refused."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from chassis.clock import new_id
from chassis.errors import Rejected
from contracts.studio.app import (
    AddEntity,
    ChangeEntity,
    DeleteEntity,
    DuplicateEntity,
    Entity,
    EntityKind,
    GetApps,
    MergeChoice,
    MergeOutcome,
    MergeRevisions,
    MergeSide,
    MoveEntity,
    RemoveEntity,
    RenameEntity,
    RestoreRevision,
)
from services.studio.views.queries import get_apps
from tests.services.studio.desk import Desk
from tests.services.studio.generated.codes import Referent, in_braces, mixed, trigger
from tests.services.studio.generated.plans import NAMES, a_plan
from tests.services.studio.generated.written import files_of, written
from tests.services.studio.test_imports import exported, zipped

CHAINS = (("data",), ("text",), ("load",))
REFERENTS = [Referent("", name, CHAINS) for name in NAMES]
MOVABLE = (EntityKind.WIDGET, EntityKind.QUERY, EntityKind.SCRIPT)


@dataclass
class Editor:
    """Somebody at work on an app. `done` and `refused`: edits by name."""

    desk: Desk
    dice: Random
    version: int
    app_id: UUID = field(default_factory=new_id)
    deck: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    async def begin(self) -> None:
        """Import the app."""
        files = files_of(a_plan(self.dice.randrange(10**6), self.version, 3))
        await self.desk.imported(zipped(files), self.app_id)

    async def edit(self) -> None:
        """One edit; a refusal is fine, for nothing changes then."""
        if not self.deck:
            self.deck = [self.add, self.change, self.change, self.rename, self.rename]
            self.deck += [self.remove, self.restore, self.merge, self.take_other_files]
            self.deck += [self.move, self.duplicate, self.delete]
            self.dice.shuffle(self.deck)
        edit = self.deck.pop()
        try:
            await edit()
        except Rejected as refusal:
            self.refused.append(f"{edit.__name__}: {refusal.rejection!r}")
        else:
            self.done.append(edit.__name__)

    async def add(self) -> None:
        """A page, or something on one."""
        kind = self.dice.choice((*MOVABLE, *MOVABLE, EntityKind.PAGE))
        page = "" if kind is EntityKind.PAGE else await self._page()
        holders = [one for one in await self._entities(EntityKind.WIDGET) if one.page == page]
        source: dict[str, Any] = {}  # the entity's own JSON
        if kind is EntityKind.WIDGET:
            source = {"type": "TEXT_WIDGET", "text": self._text(), "onClick": self._trigger()}
        parent = self.dice.choice(holders).entity_id if holders and self.dice.random() < 0.4 else ""
        await self._send(
            AddEntity,
            kind=kind,
            page=page,
            name=f"{self.dice.choice(NAMES)}{self.dice.choice(('', '2', '3'))}",
            parent_id=parent if kind is EntityKind.WIDGET else "",
            source=source,
            text=self._body(kind),
        )

    async def change(self) -> None:
        """Other code in an entity."""
        entity = await self._some(*MOVABLE)
        source = dict(entity.source or {})
        if entity.kind is EntityKind.WIDGET:
            source |= {self.dice.choice(("text", "tooltip")): self._text()}
            source |= {"onClick": self._trigger()} if self.dice.random() < 0.3 else {}
        await self._send(ChangeEntity, entity, source=source, text=self._body(entity.kind))

    async def rename(self) -> None:
        """Another name, with all that refers to it."""
        await self._send(
            RenameEntity, await self._some(*MOVABLE), name=f"{self.dice.choice(NAMES)}1"
        )

    async def remove(self) -> None:
        """Something less, and what is in it."""
        await self._send(RemoveEntity, await self._some(*MOVABLE, EntityKind.PAGE))

    async def move(self) -> None:
        """To another page or container, whatever that breaks."""
        boxes = await self._entities(EntityKind.WIDGET)
        box = self.dice.choice(boxes).entity_id if boxes and self.dice.random() < 0.4 else ""
        entity = await self._some(*MOVABLE)
        page = box.split("/")[1] if box else await self._page()
        await self._send(MoveEntity, entity, page=page, container_id=box, breaking=True)

    async def duplicate(self) -> None:
        """A copy of something."""
        await self._send(DuplicateEntity, await self._some(*MOVABLE, EntityKind.PAGE))

    async def delete(self) -> None:
        """Something less, whoever uses it."""
        await self._send(DeleteEntity, await self._some(*MOVABLE), breaking=True)

    async def restore(self) -> None:
        """An old revision again."""
        (revision_id, _), *_ = self.dice.sample(await self.revisions(), 1)
        await self._send(RestoreRevision, revision_id=revision_id)

    async def merge(self) -> None:
        """What one old revision has that another has not; of what clashes, something."""
        revisions = await self.revisions()
        fields: dict[str, Any] = {  # the command's
            "revision_base": self.dice.choice(revisions)[0],
            "revision_theirs": self.dice.choice(revisions)[0],
            "expected_head_revision_id": await self._head(),
        }
        tried = await self._send(MergeRevisions, dry_run=True, **fields)
        assert isinstance(tried, MergeOutcome)
        choices = [
            MergeChoice(conflict_id=one.conflict_id, side=self.dice.choice([*MergeSide]))
            for one in tried.conflicts[:100]
        ]
        await self._send(MergeRevisions, choices=choices, **fields)

    async def take_other_files(self) -> None:
        """An import over it: some files of another app, or its own in another layout."""
        files = await exported(self.desk, self.app_id)
        if self.dice.random() < 0.5:
            path = self.dice.choice([one for one in sorted(files) if one.endswith(".json")])
            files[path] = json.dumps(json.loads(files[path]), ensure_ascii=False).encode()
        else:
            plan = a_plan(self.dice.randrange(10**6), self.version, 2)
            files |= files_of(plan)
            folders = sorted({p.split("/")[1] for p in files if p.startswith("pages/")})
            listed = [{"id": one, "isDefault": not n} for n, one in enumerate(folders)]
            files["application.json"] = json.dumps({"pages": listed}).encode()
        await self.desk.imported(zipped(files), self.app_id)

    async def revisions(self) -> list[tuple[UUID, str]]:
        """Ids and digests of all, in order."""
        rows = await self.desk.database.fetch(
            "SELECT id, state->>'digest' AS digest FROM app_revision WHERE app_id = $1"
            " ORDER BY number",
            self.app_id,
        )
        return [(row["id"], row["digest"]) for row in rows]

    async def _send(self, contract: Any, entity: Entity | None = None, **fields: Any) -> Any:
        """A command about the app, of any of the classes above."""
        if entity is not None:
            fields |= {
                "entity_id": entity.entity_id,
                "expected_version": entity.entity_version,
            }
        command = contract(workspace_id=self.desk.workspace_id, app_id=self.app_id, **fields)
        return await self.desk.studio.send(command)

    async def _head(self) -> UUID:
        query = GetApps(workspace_id=self.desk.workspace_id, app_ids=[self.app_id])
        return (await get_apps(query, self.desk.database)).apps[0].head_revision_id

    async def _entities(self, *kinds: EntityKind) -> list[Entity]:
        return [one for one in await self.desk.entities(self.app_id) if one.kind in kinds]

    async def _some(self, *kinds: EntityKind) -> Entity:
        one = self.dice.choice(await self._entities(*kinds))
        return await self.desk.entity(self.app_id, one.entity_id)

    async def _page(self) -> str:
        return self.dice.choice(await self._entities(EntityKind.PAGE)).page

    def _text(self) -> str:
        return written(mixed(self.dice, REFERENTS), {})

    def _trigger(self) -> str:
        return written(in_braces(self.dice, trigger(self.dice, REFERENTS)), {})

    def _body(self, kind: EntityKind) -> str | None:
        if kind is EntityKind.QUERY:
            return f"SELECT {self._text()}"
        if kind is EntityKind.SCRIPT:
            code = written(trigger(self.dice, REFERENTS), {})
            return f"export default {{\n\tload: async () => {{ {code}\n\t}}\n}}"
        return None
