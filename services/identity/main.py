"""Identity, put together."""

from chassis.service import Service
from services.identity import handlers, views
from services.identity.model.passwords import Mint, Passwords
from services.identity.model.sessions import Sessions
from services.identity.model.users import LoginGuards, Users
from services.identity.model.workspaces import Workspaces
from services.identity.settings import Settings
from services.identity.store.access import AccessReader
from services.identity.store.chance import SystemMint
from services.identity.store.passwords import Argon2Passwords
from services.identity.store.sessions import SqlSessions
from services.identity.store.users import SqlLoginGuards, SqlUsers
from services.identity.store.workspaces import SqlWorkspaces

service = Service(
    name="identity",
    settings=Settings,
    handlers=handlers.HANDLERS,
    views=views.VIEWS,
    provides={
        Users: SqlUsers,
        LoginGuards: SqlLoginGuards,
        Sessions: SqlSessions,
        Workspaces: SqlWorkspaces,
        Passwords: Argon2Passwords,
        Mint: SystemMint,
        AccessReader: AccessReader,
    },
    stores=("postgres", "redis"),
)

if __name__ == "__main__":
    service.run()
