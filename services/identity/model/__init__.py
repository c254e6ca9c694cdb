"""Identity's rules: passwords, users, sessions, workspaces, permissions."""

from services.identity.model.permissions import allowed

__all__ = ["allowed"]
