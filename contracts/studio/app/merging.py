"""Three-way merge of revisions: what both sides made of a revision that they come from."""

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.base import Command, Event, Rejection, Reply
from contracts.studio.app.kinds import EntityKind


class MergeSide(StrEnum):
    """Whose way a conflict goes. OURS: the head's."""

    OURS = "ours"
    THEIRS = "theirs"


class MergeClash(StrEnum):
    """How two sides disagree. Readers treat a value that they do not know as STRUCTURE."""

    CHANGED = "CHANGED"
    REMOVED = "REMOVED"
    ADDED = "ADDED"
    NAME_TAKEN = "NAME_TAKEN"
    PLACE = "PLACE"
    ORDER = "ORDER"
    STRUCTURE = "STRUCTURE"
    FORMAT = "FORMAT"


class MergeConflict(Reply):
    """Two changes of which only one can be; `conflict_id` is the same in every repeat.

    `path`: where in the entity's JSON, empty for all of it; `text` is the body, and `line` then
    the base's line, from 1. `clash`: CHANGED both changed it; REMOVED one removed what the other
    changed or put something into; ADDED both added it, and not the same; NAME_TAKEN both added
    something of this name; PLACE both moved it; ORDER both changed the order; STRUCTURE each side
    is whole, the two together would not be; FORMAT the sides are of different formats. `base`,
    `ours` and `theirs`: values as JSON texts, lines of a body as they are, null where there is
    none. `cut`: a value is longer than what is shown of it. `side`: whose way it went.
    """

    conflict_id: str
    entity_id: str
    kind: EntityKind
    name: str
    page: str
    path: str
    line: int
    clash: MergeClash
    base: str | None
    ours: str | None
    theirs: str | None
    cut: bool
    side: MergeSide


class MergeDangling(Reply):
    """A use of a name that one side took away and the other uses: in the value at `path` of an
    entity's JSON (empty: in its text), from code point `start` on."""

    entity_id: str
    path: str
    start: int
    name: str


class MergeChoice(BaseModel):
    """Whose way a conflict is to go."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    conflict_id: str = Field(max_length=64)
    side: MergeSide


class MergeOutcome(Reply):
    """What a merge made, or in a dry run would make, of the head.

    `revision_id`: the new head; the old one when nothing changed; null in a dry run. `more`: there
    are more conflicts than are listed, and they went our way. The counts are of entities of the
    head that it changes. `dangling`: uses of names that only the merge left without owner, the
    first 200.
    """

    app_id: UUID
    revision_id: UUID | None
    conflicts: list[MergeConflict]
    more: bool
    entities_added: int
    entities_changed: int
    entities_removed: int
    dangling: list[MergeDangling] = Field(default_factory=list)


class RevisionsMerged(Event):
    """Another revision's changes are the head's too: `revision_id` is the new head."""

    workspace_id: UUID
    app_id: UUID
    revision_id: UUID
    revision_base: UUID
    revision_theirs: UUID
    conflicts: int
    entities_added: int
    entities_changed: int
    entities_removed: int


class ChoiceUnknown(Rejection):
    """There are no such conflicts in this merge: run it dry again."""

    app_id: UUID
    conflict_ids: list[str]


class MergeRevisions(Command[MergeOutcome], permission="app.edit"):
    """Bring what `revision_theirs` changed since `revision_base` into the head, as a new revision.

    By entity and property: what only one side changed is that side's. Where both did, it goes the
    head's way unless `choices` says otherwise; every conflict is in the answer. `dry_run`: answer
    the same, and change nothing. `expected_head_revision_id`: the head that the caller saw.
    """

    workspace_id: UUID
    app_id: UUID
    revision_base: UUID
    revision_theirs: UUID
    expected_head_revision_id: UUID
    choices: list[MergeChoice] = Field(default_factory=list, max_length=2_000)
    dry_run: bool = False
