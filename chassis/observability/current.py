"""What is being handled right now, for log lines. Set once a message: the hot path pays one store,
and only a line that is written pays for the text."""

from contextvars import ContextVar
from typing import Protocol
from uuid import UUID


class Handled(Protocol):
    """A message, as far as a log line wants to know it."""

    @property
    def id(self) -> UUID: ...

    @property
    def type(self) -> str: ...

    @property
    def workspace_id(self) -> UUID | None: ...

    @property
    def correlation_id(self) -> UUID | None: ...

    @property
    def traceparent(self) -> str: ...


current_message: ContextVar[Handled | None] = ContextVar("basalt_message", default=None)
