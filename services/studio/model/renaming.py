"""What a rename makes of a draft."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from contracts.studio.app import RenameChange, RenameDoubt

if TYPE_CHECKING:
    from services.studio.model import Edited


class Renamable(Protocol):
    """A command that renames; see RenameEntity."""

    @property
    def entity_id(self) -> str: ...
    @property
    def expected_version(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def with_mentions(self) -> bool: ...
    @property
    def dry_run(self) -> bool: ...


@dataclass(frozen=True)
class Renaming:
    """The entity afterwards (None in a dry run), its id then, every place that changes, texts that
    are the name and stay, and what nobody can tell."""

    edited: "Edited | None"
    entity_id: str
    changes: list[RenameChange]
    mentions: list[RenameChange]
    unclear: list[RenameDoubt]

    @property
    def entity_ids(self) -> list[str]:
        """Whose sources change, by the ids that they had, each once."""
        return list(dict.fromkeys(one.entity_id for one in self.changes))
