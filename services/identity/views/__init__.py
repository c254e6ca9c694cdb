"""What identity answers when it is asked. Whoever asks sees themselves and those they work with."""

from services.identity.views.access import authorize, effective_permissions
from services.identity.views.people import get_users, list_sessions
from services.identity.views.workspaces import (
    get_workspaces,
    list_invitations,
    list_members,
    list_workspaces,
)

VIEWS = (
    authorize,
    effective_permissions,
    get_users,
    list_sessions,
    list_workspaces,
    get_workspaces,
    list_members,
    list_invitations,
)
