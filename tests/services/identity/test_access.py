"""Who may do what, now: on a real Postgres, with a real Redis, flushed, frozen or gone."""

from uuid import UUID

import pytest
from redis.asyncio import Redis

from chassis.clock import new_id
from chassis.stores.postgres import Database
from chassis.stores.redis import open_redis
from contracts.identity.session import LogOut, LogOutEverywhere, RevokeSession, SessionOpened
from contracts.identity.workspace import (
    AcceptInvitation,
    ChangeMemberRole,
    CreateWorkspace,
    DeleteWorkspace,
    LeaveWorkspace,
    RemoveMember,
    Role,
)
from services.identity.model.sessions import token_digest
from services.identity.store.access import AccessReader
from tests.servers import Servers
from tests.services.identity.fakes import a_change_password, a_user
from tests.services.identity.house import House, a_house
from tests.services.participant import AnyCommand

HOUR = 3600
NOBODY_LISTENS = "redis://127.0.0.1:9/0"


async def a_session(house: House) -> SessionOpened:
    await house.registered()
    return await house.logged_in()


def digest_of(opened: SessionOpened) -> str:
    return token_digest(opened.token.get_secret_value())


class TestAuthorize:
    async def test_says_who_holds_the_token(self, house: House) -> None:
        opened = await a_session(house)

        found = await house.who(opened.token)

        assert found is not None
        assert (found.user_id, found.session_id) == (opened.user_id, opened.session_id)
        assert (found.role, found.permissions) == (None, ["public", "user"])

    @pytest.mark.parametrize("token", ["", "made up", "A" * 43, "nul\x00"])
    async def test_does_not_know_a_made_up_token(self, house: House, token: str) -> None:
        opened = await a_session(house)

        assert await house.who(type(opened.token)(token)) is None

    async def test_says_what_a_member_may_do_and_a_stranger_not(self, house: House) -> None:
        opened = await a_session(house)
        mine = await house.owned(opened.user_id)
        stranger = await house.registered("stranger@example.org")
        other = await house.owned(stranger)

        at_mine = await house.who(opened.token, mine)
        at_others = await house.who(opened.token, other)
        at_nowhere = await house.who(opened.token, new_id())

        assert at_mine is not None
        assert at_mine.role == Role.OWNER
        assert "workspace.manage" in at_mine.permissions
        for found in (at_others, at_nowhere):
            assert found is not None
            assert (found.role, found.permissions) == (None, ["public", "user"])

    async def test_an_owner_can_look_at_a_workspace_that_never_came_to_be(
        self, house: House
    ) -> None:
        opened, workspace_id = await a_session(house), new_id()
        create = CreateWorkspace(
            workspace_id=workspace_id, owner_id=opened.user_id, workspace_name="Engines"
        )
        permissions = []

        for command in (create, DeleteWorkspace(workspace_id=workspace_id)):
            await house.act(command)
            found = await house.who(opened.token, workspace_id)
            permissions.append(found and found.permissions)

        assert permissions == [["public", "user", "workspace.read"]] * 2

    async def test_is_answered_from_the_cache_for_some_seconds(
        self, house: House, database: Database
    ) -> None:
        opened = await a_session(house)
        await house.who(opened.token)
        await database.execute("DELETE FROM session")

        cached = await house.who(opened.token)
        house.clock.forward(10)

        assert cached is not None
        assert await house.who(opened.token) is None


class TestExpiry:
    async def test_a_session_that_is_used_lives_until_it_is_old(self, house: House) -> None:
        opened = await a_session(house)
        alive = []

        for _ in range(6):
            house.clock.forward(6 * 24 * HOUR)
            alive.append(await house.who(opened.token) is not None)

        assert alive == [True, True, True, True, False, False]  # 30 days at most

    async def test_a_session_that_is_not_used_ends_sooner(self, house: House) -> None:
        opened = await a_session(house)
        await house.who(opened.token)

        house.clock.forward(7 * 24 * HOUR)

        assert await house.who(opened.token) is None

    async def test_a_cached_session_still_ends_when_it_is_old(
        self, database: Database, redis: Redis
    ) -> None:
        house = a_house(database, redis, session_seconds_max=5)
        opened = await a_session(house)
        before = await house.who(opened.token)
        house.clock.forward(5)

        assert before is not None
        assert await house.who(opened.token) is None


class TestRevocation:
    @pytest.mark.parametrize("how", ["log out", "revoke", "everywhere", "password"])
    async def test_works_at_once_whatever_is_cached(self, house: House, how: str) -> None:
        opened = await a_session(house)
        workspace_id = await house.owned(opened.user_id)
        user_id, session_id = opened.user_id, opened.session_id
        other_replica = AccessReader(house.resources)
        for place in (None, workspace_id):
            assert await house.who(opened.token, place)
            assert await other_replica.find(digest_of(opened), place)
        commands: dict[str, AnyCommand] = {
            "log out": LogOut(user_id=user_id, session_id=session_id),
            "revoke": RevokeSession(user_id=user_id, session_id=session_id),
            "everywhere": LogOutEverywhere(user_id=user_id),
            "password": a_change_password(a_user(user_id.int)),
        }

        await house.act(commands[how], user_id)

        for place in (None, workspace_id):
            assert await house.who(opened.token, place) is None
            assert await other_replica.find(digest_of(opened), place) is None

    async def test_stays_when_redis_is_flushed(self, house: House, redis: Redis) -> None:
        opened = await a_session(house)
        kept = await house.logged_in()
        await house.who(opened.token)
        await house.act(
            LogOut(user_id=opened.user_id, session_id=opened.session_id), opened.user_id
        )

        await redis.flushall()

        assert await house.who(opened.token) is None
        assert await house.who(kept.token) is not None

    async def test_works_without_redis(self, database: Database) -> None:
        gone = open_redis(NOBODY_LISTENS, timeout=0.2)
        house = a_house(database, gone)
        opened = await a_session(house)
        before = await house.who(opened.token)

        await house.act(LogOutEverywhere(user_id=opened.user_id), opened.user_id)

        assert before is not None
        assert await house.who(opened.token) is None
        await gone.aclose()

    async def test_that_redis_missed_is_complete_after_the_caches_seconds(
        self, house: House, servers: Servers
    ) -> None:
        opened = await a_session(house)
        await house.who(opened.token)
        servers.freeze("redis")
        try:
            await house.act(LogOutEverywhere(user_id=opened.user_id), opened.user_id)
            while_frozen = await house.who(opened.token)
        finally:
            servers.thaw("redis")
        house.clock.forward(10)

        assert while_frozen is None
        assert await house.who(opened.token) is None

    async def test_is_not_undone_by_a_reader_that_began_before_it(self, house: House) -> None:
        opened = await a_session(house)
        slow = AccessReader(house.resources)
        digest = digest_of(opened)
        read_before = await slow._read(digest, None, house.clock.now())
        assert read_before is not None
        await house.act(LogOutEverywhere(user_id=opened.user_id), opened.user_id)

        await slow._cache.write(digest, None, read_before)

        assert await house.who(opened.token) is None


class TestMembership:
    @pytest.mark.parametrize("how", ["demoted", "removed", "left"])
    async def test_changes_permissions_at_once_whatever_is_cached(
        self, house: House, how: str
    ) -> None:
        owner_id = await house.registered()
        workspace_id = await house.owned(owner_id)
        guest_id = await house.joined(workspace_id, owner_id, "guest@example.org")
        guest = await house.logged_in("guest@example.org")
        before = await house.who(guest.token, workspace_id)
        command, actor_id = change_of(how, workspace_id, guest_id, owner_id)

        await house.act(command, actor_id)
        after = await house.who(guest.token, workspace_id)

        assert before is not None
        assert before.role == Role.EDITOR
        assert after is not None
        assert after.role == (Role.VIEWER if how == "demoted" else None)
        assert "app.edit" not in after.permissions

    async def test_of_a_new_member_is_known_at_once(self, house: House) -> None:
        owner_id = await house.registered()
        workspace_id = await house.owned(owner_id)
        await house.registered("guest@example.org")
        guest = await house.logged_in("guest@example.org")
        await house.who(guest.token, workspace_id)  # caches that there is no role

        token = await house.invited(workspace_id, owner_id, "guest@example.org", Role.VIEWER)
        await house.act(AcceptInvitation(user_id=guest.user_id, token=token), guest.user_id)
        found = await house.who(guest.token, workspace_id)

        assert found is not None
        assert found.role == Role.VIEWER


def change_of(
    how: str, workspace_id: UUID, guest_id: UUID, owner_id: UUID
) -> tuple[ChangeMemberRole | RemoveMember | LeaveWorkspace, UUID]:
    if how == "demoted":
        return (
            ChangeMemberRole(workspace_id=workspace_id, user_id=guest_id, role=Role.VIEWER),
            owner_id,
        )
    if how == "removed":
        return RemoveMember(workspace_id=workspace_id, user_id=guest_id), owner_id
    return LeaveWorkspace(workspace_id=workspace_id), guest_id
