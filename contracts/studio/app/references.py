"""Who uses whom: references between the entities of an app, as its code has them."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from contracts.base import Query, Reply
from contracts.studio.app.kinds import EntityKind


class Direction(StrEnum):
    """Which way to follow references."""

    USES = "uses"
    USED_BY = "used_by"


class UseKind(StrEnum):
    """What a use is for: a value, or something that happens (a trigger)."""

    DATA = "data"
    TRIGGER = "trigger"


class CodePlace(Reply):
    """A part of the value at `path` of an entity's JSON (empty: of its text), from code point
    `start` to `end`."""

    path: str
    start: int
    end: int


class UsePlace(CodePlace):
    """Where a name is used. `members`: what follows it, as `selectedRow.id`."""

    kind: UseKind
    members: str = ""


class Dependency(Reply):
    """An entity that another uses, or that uses it, over `distance` steps. `places`: those of the
    nearest step, in the using entity; at distance 1 only. `more`: there are more than are listed.
    """

    entity_id: str
    kind: EntityKind
    name: str
    page: str
    distance: int
    places: list[UsePlace] = Field(default_factory=list)
    more: bool = False


class Dependencies(Reply):
    """Nearest first, then by id."""

    dependencies: list[Dependency]


class GetDependencies(Query[Dependencies], permission="workspace.read"):
    """What an entity of the head uses, or what uses it, up to `depth` steps away."""

    workspace_id: UUID
    app_id: UUID
    entity_id: str = Field(max_length=2000)
    direction: Direction = Direction.USED_BY
    depth: int = Field(default=1, ge=1, le=100)


class WhatBreaks(Query[Dependencies], permission="workspace.read"):
    """What refers to an entity of the head, or to anything inside it, and would be left without it
    if it were removed; of a datasource, its queries. All at distance 1. Texts that functions take
    for a name are told by DeleteEntity's dry run."""

    workspace_id: UUID
    app_id: UUID
    entity_id: str = Field(max_length=2000)


class FindingRule(StrEnum):
    """What is wrong. Readers take a value that they do not know for a warning.

    MISSING: a name that nothing on the page has. CYCLE: values that wait for one another. BROKEN:
    code that is no JavaScript. UNCLEAR: code that cannot be told without running it (`eval`,
    `with`), or that is too long to be looked into. UNUSED: nothing refers to it, and nothing runs
    it when its page is loaded.
    """

    MISSING = "missing"
    CYCLE = "cycle"
    BROKEN = "broken"
    UNCLEAR = "unclear"
    UNUSED = "unused"


class Severity(StrEnum):
    """Whether it breaks something for those who use the app."""

    ERROR = "error"
    WARNING = "warning"


class BoundValue(Reply):
    """A bound property of a widget, or a member of a script."""

    entity_id: str
    name: str
    path: str


class Finding(Reply):
    """A problem of an entity. With MISSING: the missing name, the likeliest one that there is, or
    empty, and at most ten other pages that have the name: references never leave a page. `place`:
    of the name, or of the code. `cycle`: each value uses the next, and the last the first.
    `imported`: an import brought it, so it does not keep the app from being published."""

    rule: FindingRule
    severity: Severity
    entity_id: str
    kind: EntityKind
    name: str
    page: str
    missing: str = ""
    meant: str = ""
    other_pages: list[str] = Field(default_factory=list)
    place: CodePlace | None = None
    cycle: list[BoundValue] = Field(default_factory=list)
    imported: bool = False


class Findings(Reply):
    """Errors first, of them those that no import brought; by page and id. `more`: there are more
    than are listed."""

    findings: list[Finding]
    more: bool = False


class ValidateApp(Query[Findings], permission="workspace.read"):
    """Check the head of an app: its code, the names in it, and what is never used."""

    workspace_id: UUID
    app_id: UUID
    pages: list[str] = Field(default_factory=list, max_length=200)
    limit: int = Field(default=200, ge=1, le=1000)


class EvaluationOrder(Reply):
    """Each value after those that it uses; values of a cycle stand together."""

    values: list[BoundValue]


class GetEvaluationOrder(Query[EvaluationOrder], permission="workspace.read"):
    """In which order the values of a page can be worked out."""

    workspace_id: UUID
    app_id: UUID
    page: str = Field(max_length=500)
