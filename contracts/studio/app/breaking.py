"""What an edit of an entity breaks elsewhere, and the refusal to break anything unasked."""

from enum import StrEnum
from uuid import UUID

from contracts.base import Rejection
from contracts.studio.app.references import CodePlace

BREAKS_MAX = 500
"""So many places are listed of one edit; all of them count."""


class BreakKind(StrEnum):
    """What becomes of a place. Readers take a value that they do not know for DANGLING.

    DANGLING: its name means nothing any more. REBOUND: it means another entity than before, or one
    where it meant none. MENTION: a text that a function takes for a name, as in
    `showModal('Dialog')` or `navigateTo('Orders')`, means nothing, or something else. DATASOURCE: a
    query's datasource is gone.
    """

    DANGLING = "dangling"
    REBOUND = "rebound"
    MENTION = "mention"
    DATASOURCE = "datasource"


class Break(CodePlace):
    """A place that an edit breaks, in the entity that has this id before the edit. `name`: what is
    said there."""

    kind: BreakKind
    entity_id: str
    name: str


class EntityInUse(Rejection):
    """The edit would break something; `breaking` in the command says that it may. `more`: there are
    more places than are listed."""

    app_id: UUID
    entity_id: str
    breaks: list[Break]
    more: bool
