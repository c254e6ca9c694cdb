"""What people see: themselves, and those they work with."""

from datetime import timedelta
from uuid import UUID

import pytest

from chassis.clock import new_id
from chassis.errors import NotAllowed
from chassis.stores.postgres import Database
from contracts.identity.session import ListSessions
from contracts.identity.user import GetUsers
from contracts.identity.workspace import (
    CreateWorkspace,
    DeleteWorkspace,
    EffectivePermissions,
    GetWorkspaces,
    Grant,
    ListInvitations,
    ListMembers,
    ListWorkspaces,
    Role,
    WorkspaceSettings,
    WorkspaceState,
)
from services.identity.settings import Settings
from services.identity.views.access import effective_permissions
from services.identity.views.people import get_users, list_sessions
from services.identity.views.workspaces import (
    get_workspaces,
    list_invitations,
    list_members,
    list_workspaces,
)
from tests.services.identity.fakes import EMAIL, START, acting
from tests.services.identity.house import House

NOBODY = UUID(int=1)


async def names_of(house: House, user_id: UUID) -> list[str]:
    found = await list_workspaces(ListWorkspaces(user_id=user_id), house.database, acting(user_id))
    return [workspace.workspace_name for workspace in found.workspaces]


class TestUsers:
    async def test_are_seen_by_themselves_and_by_those_who_share_a_workspace(
        self, house: House
    ) -> None:
        ada = await house.registered()
        bob = await house.joined(await house.owned(ada), ada, "bob@example.org")
        eve = await house.registered("eve@example.org")
        query = GetUsers(user_ids=[ada, bob, eve, NOBODY])
        seen = {}

        for user_id in (ada, bob, eve):
            found = await get_users(query, house.database, acting(user_id))
            seen[user_id] = {user.user_id for user in found.users}

        assert seen == {ada: {ada, bob}, bob: {ada, bob}, eve: {eve}}

    async def test_show_address_and_birth_and_no_hash(self, house: House) -> None:
        ada = await house.registered()

        (user,) = (await get_users(GetUsers(user_ids=[ada]), house.database, acting(ada))).users

        assert (user.email, user.registered_at) == (EMAIL, START)
        assert "argon2" not in user.model_dump_json()


class TestSessions:
    async def test_list_those_that_are_good_for_something(
        self, house: House, settings: Settings
    ) -> None:
        ada = await house.registered()
        await house.logged_in()
        house.clock.forward(4 * 86_400)
        second = await house.logged_in()
        house.clock.forward(4 * 86_400)
        await house.who(second.token)

        found = await list_sessions(
            ListSessions(user_id=ada), house.database, house.clock, settings, acting(ada)
        )

        (shown,) = found.sessions
        assert (shown.session_id, shown.client) == (second.session_id, "a test")
        assert shown.used_at == START + timedelta(days=8)
        assert shown.opened_at == START + timedelta(days=4)

    async def test_of_another_user_are_not_for_me(self, house: House, settings: Settings) -> None:
        with pytest.raises(NotAllowed):
            await list_sessions(
                ListSessions(user_id=NOBODY),
                house.database,
                house.clock,
                settings,
                acting(new_id()),
            )


class TestWorkspaces:
    async def test_lists_the_callers_oldest_first(self, house: House) -> None:
        ada = await house.registered()
        eve = await house.registered("eve@example.org")
        for name in ("Engines", "Looms"):
            house.clock.forward(1)
            await house.owned(ada, name)
        await house.owned(eve, "Secrets")

        assert await names_of(house, ada) == ["Engines", "Looms"]
        assert await names_of(house, eve) == ["Secrets"]

    async def test_leaves_out_what_never_came_to_be(self, house: House) -> None:
        ada, workspace_id = await house.registered(), new_id()
        await house.act(
            CreateWorkspace(workspace_id=workspace_id, owner_id=ada, workspace_name="Engines")
        )
        pending = await names_of(house, ada)
        await house.act(DeleteWorkspace(workspace_id=workspace_id))

        assert pending == ["Engines"]
        assert await names_of(house, ada) == []

    async def test_shows_each_member_their_own_role(self, house: House) -> None:
        ada = await house.registered()
        workspace_id = await house.owned(ada)
        bob = await house.joined(workspace_id, ada, "bob@example.org", Role.VIEWER)
        eve = await house.registered("eve@example.org")
        query = GetWorkspaces(workspace_ids=[workspace_id, new_id()])
        shown = {}

        for user_id in (ada, bob, eve):
            found = await get_workspaces(query, house.database, acting(user_id))
            shown[user_id] = [(item.role, item.members, item.state) for item in found.workspaces]
            for item in found.workspaces:
                assert (item.settings, item.created_at) == (WorkspaceSettings(), START)
                assert (item.version, item.members_max) == (4, 3)

        active = WorkspaceState.ACTIVE
        assert shown == {ada: [(Role.OWNER, 2, active)], bob: [(Role.VIEWER, 2, active)], eve: []}


class TestMembers:
    async def test_come_by_workspace_for_members_only(self, house: House) -> None:
        ada = await house.registered()
        mine = [await house.owned(ada), await house.owned(ada)]
        house.clock.forward(1)
        bob = await house.joined(mine[0], ada, "bob@example.org", Role.VIEWER)
        eve = await house.registered("eve@example.org")
        theirs = await house.owned(eve)

        async def members(user_id: UUID, **narrower: object) -> list[tuple[UUID, UUID, Role]]:
            query = ListMembers.model_validate({"workspace_ids": [*mine, theirs], **narrower})
            found = await list_members(query, house.database, acting(user_id))
            return [(item.workspace_id, item.user_id, item.role) for item in found.members]

        both = [(mine[0], ada, Role.OWNER), (mine[0], bob, Role.VIEWER)]
        assert await members(ada) == [*both, (mine[1], ada, Role.OWNER)]
        assert await members(bob) == both
        assert await members(bob, role="viewer") == both[1:]
        assert await members(bob, limit=1) == both[:1]
        assert await members(eve) == [(theirs, eve, Role.OWNER)]


class TestInvitations:
    async def test_lists_the_open_ones(self, house: House) -> None:
        ada = await house.registered()
        workspace_id = await house.owned(ada)
        await house.joined(workspace_id, ada, "bob@example.org")
        await house.invited(workspace_id, ada, "eve@example.org", Role.VIEWER)
        query = ListInvitations(workspace_id=workspace_id)

        before = await list_invitations(query, house.database, house.clock)
        house.clock.forward(8 * 86_400)
        after = await list_invitations(query, house.database, house.clock)

        (shown,) = before.invitations
        assert (shown.email, shown.role, shown.invited_by) == (
            "eve@example.org",
            Role.VIEWER,
            ada,
        )
        assert "token" not in shown.model_dump_json()
        assert after.invitations == []


class TestEffectivePermissions:
    async def test_say_where_each_comes_from(self, house: House, database: Database) -> None:
        ada = await house.registered()
        workspace_id = await house.owned(ada)
        bob = await house.joined(workspace_id, ada, "bob@example.org", Role.VIEWER)

        async def grants(user_id: UUID) -> tuple[Role | None, list[Grant]]:
            query = EffectivePermissions(workspace_id=workspace_id, user_id=user_id)
            found = await effective_permissions(query, database)
            return found.role, found.grants

        everyone = Grant(permission_name="user", source="user")
        read = Grant(permission_name="workspace.read", source="role:viewer")
        assert await grants(bob) == (Role.VIEWER, [everyone, read])
        assert await grants(NOBODY) == (None, [everyone])
