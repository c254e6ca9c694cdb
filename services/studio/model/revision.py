"""A revision, and who made it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.studio.model.past import Past


class Origin(Protocol):
    """A command that brings a state made elsewhere."""

    @property
    def author_name(self) -> str: ...
    @property
    def authored_at(self) -> datetime | None: ...
    @property
    def message(self) -> str: ...
    @property
    def commit(self) -> str: ...


@dataclass
class Revision:
    """An immutable state of an app: `digest` names its content. Only `tags` grow.

    `author_name`, `authored_at` and `commit` say who made it elsewhere, if it was. `past`: None
    where it was made before that was told.
    """

    revision_id: UUID
    workspace_id: UUID
    app_id: UUID
    number: int
    digest: str
    message: str
    created_at: datetime
    actor_id: UUID | None = None
    tags: list[str] = field(default_factory=list)
    author_name: str = ""
    authored_at: datetime | None = None
    commit: str = ""
    past: Past | None = None

    @property
    def made_of(self) -> Past:
        """Of itself, where it is not told: as though it had been imported so."""
        return Past([self.digest]) if self.past is None else self.past

    def credit(self, origin: Origin) -> None:
        """Say whose work it is. A commit's message is its own, even an empty one."""
        self.author_name, self.authored_at = origin.author_name, origin.authored_at
        self.commit = origin.commit
        if origin.authored_at is not None or origin.message:
            self.message = origin.message

    def tag(self, environment: str) -> bool:
        """Remember that it went live in an environment; False when that was known."""
        if environment in self.tags:
            return False
        self.tags.append(environment)
        return True
