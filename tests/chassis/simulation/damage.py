"""A chassis that is broken on purpose, for tests of what notices it."""

import pytest

from chassis.messaging.inbox import Inbox
from chassis.stores.statement import Statement


def forget_what_was_handled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages that come twice are handled twice."""
    flush = Inbox.flush

    def only_new(self: Inbox, statement: Statement) -> None:
        for known in self._known:
            self._new.pop(known, None)
        flush(self, statement)

    monkeypatch.setattr(Inbox, "seen", lambda self, message_id: None)
    monkeypatch.setattr(Inbox, "flush", only_new)
