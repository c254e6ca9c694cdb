"""What the people of a simulated platform do to their drafts: they edit, rename, restore, merge."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from contracts.base import Message
from contracts.studio.app import (
    AddEntity,
    ChangeEntity,
    EntityKind,
    MergeRevisions,
    RemoveEntity,
    RenameEntity,
    RestoreRevision,
)

if TYPE_CHECKING:
    from tests.simulation.real.world import RealWorld

NAMES = ("Orders", "Customers", "Total")
CODES = ("{{Orders.data}}", "{{Total.text + Customers.data[0]}}", "{{(Orders => Orders)(Total)}}")
STALE = 0.1
"""How often somebody has not seen what the others did."""

Row = dict[str, Any]  # a table's row by column
About = dict[str, Any]  # the fields that every command has


class Editors:
    """They ask for what is there, so that most of it is done."""

    def __init__(self, world: "RealWorld") -> None:
        self._world = world

    def edit(self, about: About) -> Message:
        """A command about an app's draft."""
        dice = self._world.dice
        found = sorted(self._rows("entity", about), key=lambda row: str(row["entity_id"]))
        named = [row for row in found if row["kind"] in ("widget", "query")]
        past = sorted(self._rows("app_revision", about), key=lambda row: int(row["number"]))
        acts = [self._add] * 2
        acts += [self._change, self._rename, self._rename, self._remove] if named else []
        acts += [self._restore, self._merge, self._merge] if len(past) > 1 else []
        return dice.choice(acts)(about, named, past)

    def _add(self, about: About, named: list[Row], past: list[Row]) -> Message:
        dice = self._world.dice
        kind = dice.choice((EntityKind.WIDGET, EntityKind.QUERY))
        code = dice.choice(CODES)
        source = {"type": "TEXT_WIDGET", "text": code} if kind is EntityKind.WIDGET else {}
        text = None if source else f"SELECT {code}"
        name = dice.choice(NAMES)
        return AddEntity(kind=kind, page="Home", name=name, source=source, text=text, **about)

    def _change(self, about: About, named: list[Row], past: list[Row]) -> Message:
        queries = [row for row in named if row["kind"] == "query"]
        if not queries:
            return self._add(about, named, past)
        text = f"SELECT {self._world.dice.getrandbits(8)}\n\n{self._world.dice.choice(CODES)}"
        return ChangeEntity(text=text, **self._of(queries), **about)

    def _rename(self, about: About, named: list[Row], past: list[Row]) -> Message:
        return RenameEntity(name=self._world.dice.choice(NAMES), **self._of(named), **about)

    def _remove(self, about: About, named: list[Row], past: list[Row]) -> Message:
        return RemoveEntity(**self._of(named), **about)

    def _restore(self, about: About, named: list[Row], past: list[Row]) -> Message:
        return RestoreRevision(revision_id=self._world.dice.choice(past)["id"], **about)

    def _merge(self, about: About, named: list[Row], past: list[Row]) -> Message:
        """What is some revisions ago, taken back or brought again."""
        dice = self._world.dice
        base, theirs = (dice.choice(past)["id"] for _ in range(2))
        head = past[-1 if dice.random() > STALE else 0]["id"]
        return MergeRevisions(
            revision_base=base, revision_theirs=theirs, expected_head_revision_id=head, **about
        )

    def _of(self, rows: list[Row]) -> dict[str, Any]:
        """One of them, at the version that somebody saw."""
        one = self._world.dice.choice(rows)
        late = self._world.dice.random() < STALE
        return {
            "entity_id": one["entity_id"],
            "expected_version": one["entity_version"] - late,
        }

    def _rows(self, table: str, about: About) -> list[Row]:
        app_id: UUID = about["app_id"]
        return [row for row in self._world.rows("studio", table) if row["app_id"] == app_id]
