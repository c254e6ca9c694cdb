"""What a rename makes of a draft."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.studio.app import RenameChange

if TYPE_CHECKING:
    from services.studio.model import Edited


@dataclass(frozen=True)
class Renaming:
    """The entity afterwards (None in a dry run), its id then, and every place that changes."""

    edited: "Edited | None"
    entity_id: str
    changes: list[RenameChange]

    @property
    def entity_ids(self) -> list[str]:
        """Whose sources change, by the ids that they had, each once."""
        return list(dict.fromkeys(one.entity_id for one in self.changes))
