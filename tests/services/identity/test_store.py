"""Identity on a real Postgres: what is kept, what is announced, and races."""

from uuid import UUID

import pytest
from redis.asyncio import Redis

from chassis.clock import new_id
from chassis.errors import IdempotencyKeyReused, Rejected
from chassis.messaging.envelope import Envelope
from chassis.stores.postgres import Database
from contracts.billing.account import EntitlementsChanged, Plan
from contracts.identity.session import LogOutEverywhere
from contracts.identity.user import (
    CredentialsRefused,
    EmailTaken,
    TooManyAttempts,
    UserRegistered,
)
from contracts.identity.workspace import (
    AcceptInvitation,
    ActivateWorkspace,
    ApplyDefaultSettings,
    ChangeMemberRole,
    CreateWorkspace,
    DeleteWorkspace,
    InviteMember,
    LastOwner,
    MemberAdded,
    MemberRoleChanged,
    MembersLimitReached,
    Role,
)
from services.identity.model.users import email_digest
from tests.services.identity.fakes import (
    OTHER_PASSWORD,
    PASSWORD,
    a_change_password,
    a_log_in,
    a_register,
    a_user,
)
from tests.services.identity.house import House, a_house
from tests.services.participant import an_envelope

TABLES = ("registered_user", "session", "workspace", "login_guard", "inbox", "outbox")


def rejections(outcomes: list[object]) -> list[object]:
    return [item.rejection for item in outcomes if isinstance(item, Rejected)]


class TestRegister:
    async def test_of_two_at_once_for_one_address_one_is_refused(self, house: House) -> None:
        outcomes = await house.act_at_once(
            (a_register("ada@example.org"), None), (a_register("ADA@example.org"), None)
        )

        assert rejections(list(outcomes)) == [EmailTaken()]
        assert sum(isinstance(item, UserRegistered) for item in outcomes) == 1
        assert await house.facts() == [("identity.UserRegistered.v1", 1)]

    async def test_the_same_command_id_gets_the_same_answer(self, house: House) -> None:
        command_id = new_id()

        answers = [await house.act(a_register(), command_id=command_id) for _ in range(2)]

        assert answers[0] == answers[1]

    async def test_another_input_under_a_known_command_id_is_refused(self, house: House) -> None:
        command_id = new_id()
        await house.act(a_register(), command_id=command_id)

        with pytest.raises(IdempotencyKeyReused):
            await house.act(a_register("bob@example.org"), command_id=command_id)


async def test_no_store_holds_a_password_or_a_token_and_no_message_an_address(
    house: House, database: Database, redis: Redis
) -> None:
    user_id = await house.registered()
    opened = await house.logged_in()
    with pytest.raises(Rejected):
        await house.act(a_log_in(password="a wrong password"))
    workspace_id = await house.owned(user_id)
    invitation = await house.invited(workspace_id, user_id, "guest@example.org")
    await house.who(opened.token, workspace_id)
    await house.act(a_change_password(a_user(user_id.int)), user_id)

    written = {}
    for table in TABLES:
        rows = await database.fetch(f"SELECT row_to_json(t)::text AS row FROM {table} AS t")
        written[table] = " ".join(row["row"] for row in rows)
    for column in ("outbox.payload", "inbox.reply"):
        table, name = column.split(".")
        rows = await database.fetch(f"SELECT convert_from({name}, 'UTF8') AS text FROM {table}")
        written[column] = " ".join(row["text"] or "" for row in rows)
    names = [name async for name in redis.scan_iter("identity:*")]
    written["redis"] = repr(names) + repr(await redis.mget(names))

    secrets = (PASSWORD, OTHER_PASSWORD, "a wrong password")
    tokens = (opened.token.get_secret_value(), invitation.get_secret_value())
    for place, text in written.items():
        assert not [secret for secret in (*secrets, *tokens) if secret in text], place
    for place in ("inbox.reply", "outbox.payload", "outbox", "login_guard", "redis"):
        assert "example.org" not in written[place], place
    assert "$argon2id$" in written["registered_user"]
    assert str(user_id) in written["outbox.payload"]


class TestLockOut:
    async def test_survives_a_flush_of_redis(self, house: House, redis: Redis) -> None:
        await house.registered()
        for _ in range(5):
            with pytest.raises(Rejected):
                await house.act(a_log_in(password="a wrong password"))
        await redis.flushall()

        with pytest.raises(Rejected) as refusal:
            await house.act(a_log_in())
        house.clock.forward(6)
        await house.logged_in()

        assert isinstance(refusal.value.rejection, TooManyAttempts)
        assert refusal.value.rejection.retry_after_seconds == 5

    async def test_guesses_sent_all_at_once_do_not_get_past_it(self, database: Database) -> None:
        house = a_house(database, None, lockout_attempts_free=3, lockout_seconds_first=900)
        await house.registered()
        guesses = [(a_log_in(password=f"a wrong password {n}"), None) for n in range(20)]

        refused = rejections(list(await house.act_at_once(*guesses)))

        assert len(refused) == 20
        checked = [item for item in refused if isinstance(item, CredentialsRefused)]
        assert len(checked) == 3
        facts = [name for name, _ in await house.facts()]
        assert facts.count("identity.LoginFailed.v1") == len(checked)

    async def test_rows_of_long_ago_go_with_new_failures(
        self, house: House, database: Database
    ) -> None:
        for email in ("one@example.org", "two@example.org"):
            with pytest.raises(Rejected):
                await house.act(a_log_in(email))
        house.clock.forward(2 * 86_400)

        with pytest.raises(Rejected):
            await house.act(a_log_in("three@example.org"))

        rows = await database.fetch("SELECT id FROM login_guard")
        assert [row["id"] for row in rows] == [email_digest("three@example.org")]


class TestSessions:
    async def test_are_announced_from_log_in_to_revocation(self, house: House) -> None:
        user_id = await house.registered()
        await house.logged_in()

        for _ in range(2):
            await house.act(LogOutEverywhere(user_id=user_id), user_id)

        assert await house.facts() == [
            ("identity.UserRegistered.v1", 1),
            ("identity.LoggedIn.v1", 1),
            ("identity.SessionRevoked.v1", 2),
        ]

    async def test_expired_rows_go_with_a_log_in(self, house: House, database: Database) -> None:
        await house.registered()
        await house.logged_in()
        house.clock.forward(31 * 86_400)

        opened = await house.logged_in()

        rows = await database.fetch("SELECT id FROM session")
        assert [row["id"] for row in rows] == [opened.session_id]


class TestWorkspaces:
    async def test_saga_commands_repeat_without_a_second_fact(self, house: House) -> None:
        owner_id, workspace_id = await house.registered(), new_id()
        create = CreateWorkspace(
            workspace_id=workspace_id, owner_id=owner_id, workspace_name="Engines"
        )
        for command in (
            create,
            ActivateWorkspace(workspace_id=workspace_id),
            ApplyDefaultSettings(workspace_id=workspace_id),
        ):
            answers = [await house.act(command) for _ in range(3)]
            assert answers[0] == answers[1] == answers[2]

        assert await house.facts() == [
            ("identity.UserRegistered.v1", 1),
            ("identity.WorkspaceCreated.v1", 1),
            ("identity.WorkspaceActivated.v1", 2),
            ("identity.WorkspaceSettingsChanged.v1", 3),
        ]

    async def test_undoing_what_was_never_done_is_private(self, house: House) -> None:
        await house.act(DeleteWorkspace(workspace_id=new_id()))

        assert await house.facts() == []

    async def test_the_same_saga_command_by_kafka_twice_in_a_chunk_is_one_effect(
        self, house: House
    ) -> None:
        command = CreateWorkspace(
            workspace_id=new_id(), owner_id=await house.registered(), workspace_name="Engines"
        )
        envelope = an_envelope(command, house.clock)

        await house.hear(envelope, envelope)
        await house.hear(envelope)

        facts = [name for name, _ in await house.facts()]
        assert facts.count("identity.WorkspaceCreated.v1") == 1
        assert house.letters.letters == []

    async def test_owners_who_demote_each_other_leave_one(self, house: House) -> None:
        owner_id = await house.registered()
        workspace_id = await house.owned(owner_id)
        second = await house.joined(workspace_id, owner_id, "second@example.org", Role.OWNER)

        def demote(user_id: UUID) -> ChangeMemberRole:
            return ChangeMemberRole(workspace_id=workspace_id, user_id=user_id, role=Role.VIEWER)

        outcomes = await house.act_at_once((demote(owner_id), second), (demote(second), owner_id))

        assert rejections(list(outcomes)) == [LastOwner(workspace_id=workspace_id)]
        assert sum(isinstance(item, MemberRoleChanged) for item in outcomes) == 1

    async def test_the_plan_of_billing_limits_members_even_at_the_same_moment(
        self, house: House, database: Database
    ) -> None:
        owner_id = await house.registered()
        workspace_id = await house.owned(owner_id)
        await house.hear(entitled(house, workspace_id, members_max=3))
        people = [await house.registered(f"{n}@example.org") for n in range(2)]
        tokens = [await house.invited(workspace_id, owner_id, f"{n}@example.org") for n in range(2)]
        await house.hear(entitled(house, workspace_id, members_max=2))

        outcomes = await house.act_at_once(
            *(
                (AcceptInvitation(user_id=user_id, token=token), user_id)
                for user_id, token in zip(people, tokens, strict=True)
            )
        )
        with pytest.raises(Rejected) as refusal:
            await house.act(
                InviteMember(workspace_id=workspace_id, email="late@example.org"), owner_id
            )

        limit = MembersLimitReached(workspace_id=workspace_id, members_max=2)
        assert rejections(list(outcomes)) == [limit]
        assert sum(isinstance(item, MemberAdded) for item in outcomes) == 1
        assert refusal.value.rejection == limit
        members = await database.fetchval("SELECT state -> 'members' FROM workspace")
        assert len(members) == 2


def entitled(house: House, workspace_id: UUID, members_max: int) -> Envelope:
    event = EntitlementsChanged(
        workspace_id=workspace_id,
        plan=Plan.TEAM,
        apps_max=9,
        releases_max=9,
        members_max=members_max,
    )
    return an_envelope(event, house.clock)
