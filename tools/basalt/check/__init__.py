"""`./basalt check`: prove from stores and topics that nothing is lost, doubled or left behind.

It imports nothing of the platform: what it knows of tables, topics and ids is written down here a
second time (`layout.py`, `ids.py`), so a mistake in the services is not repeated in their judge.

The way of a check: `gather` copies what matters from every store and topic into a small database
of its own (SQLite, on disk), then each invariant is a question to that database (`invariants/`).
"""

from tools.basalt.check.command import add

__all__ = ["add"]
