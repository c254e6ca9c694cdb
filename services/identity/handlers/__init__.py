"""What identity does when it is asked, and when entitlements change.

A repeated command changes nothing, saves nothing and is answered as the first time.
"""

from services.identity.handlers import members, seats, sessions, users, workspaces

HANDLERS = (
    *users.HANDLERS,
    *sessions.HANDLERS,
    *workspaces.HANDLERS,
    *members.HANDLERS,
    *seats.HANDLERS,
)
