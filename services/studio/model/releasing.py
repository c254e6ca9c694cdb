"""What a release needs of a revision: that it may be published, and its bundle."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.studio.app import Finding
from services.studio.model.revision import Revision


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong with a revision: some of it (contracts' PROBLEMS_MAX), and how much there is.

    `problems` keep it from being published; `warnings` came with an import and do not.
    """

    problems: Sequence[Finding] = ()
    problems_count: int = 0
    warnings: Sequence[Finding] = ()
    warnings_count: int = 0


@dataclass(frozen=True)
class Frozen:
    """A revision's bundle in the blob store."""

    bundle_digest: str
    files: int
    bytes: int


class Checks(Protocol):
    """Looks for what should not be published."""

    async def check(self, revision: Revision) -> Checked: ...


class Bundles(Protocol):
    """Makes of a revision what delivery needs."""

    async def write(self, revision: Revision) -> Frozen:
        """Write the bundle to the blob store; the same revision gives the same digest."""
        ...
