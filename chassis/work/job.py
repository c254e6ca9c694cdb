"""Job: one piece of long work under a lease, as its worker sees it."""

from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from chassis.clock import Clock

PROGRESS_EVERY_S = 0.2


class Progress(Protocol):
    """Where progress is written. Raises LeaseLost."""

    async def write(self, job: "Job") -> None: ...


class LeaseLost(Exception):
    """Another process has taken the work over: this one must stop at once."""


@dataclass(slots=True)
class Job:
    """What is to be done. `input` is what `begin` was given; `attempt` counts from 1."""

    operation_id: UUID
    workspace_id: UUID
    kind: str
    subject_id: str
    input: dict[str, Any]  # JSON, as the handler gave it
    actor_id: UUID | None
    attempt: int
    lease: str
    traceparent: str
    clock: Clock
    writes: Progress
    done: int = 0
    total: int = 0
    step: str = ""
    _written_at: float = field(default=-1e9)

    async def progress(self, done: int, total: int, step: str = "") -> None:
        """Say how far it is. Written at most a few times a second, so call it freely. Raises
        LeaseLost: let it pass."""
        changed = bool(step) and step != self.step
        self.done, self.total, self.step = done, total, step or self.step
        now = self.clock.monotonic()
        if changed or done >= total or now - self._written_at >= PROGRESS_EVERY_S:
            self._written_at = now
            await self.writes.write(self)
