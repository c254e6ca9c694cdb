"""What a merge of contents is to the rules: a digest, and what the sides disagreed on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from contracts.studio.app import MergeConflict, MergeDangling, MergeSide


@dataclass(frozen=True)
class MergedContent:
    """A content that is written, unless it was only asked for. `unknown`: choices for no conflict.
    The counts are against our side."""

    digest: str
    conflicts: list[MergeConflict]
    more: bool
    unknown: list[str]
    added: int
    changed: int
    removed: int
    dangling: list[MergeDangling] = field(default_factory=list)


class Merges(Protocol):
    """Merges contents by their digests."""

    async def merge(
        self,
        workspace_id: UUID,
        digests: tuple[str, str, str],
        choices: Mapping[str, MergeSide],
        *,
        write: bool,
    ) -> MergedContent:
        """`digests`: base's, ours, theirs. The same ones give the same content."""
        ...
