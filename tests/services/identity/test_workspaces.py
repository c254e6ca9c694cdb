"""A workspace's life. Every saga command may come twice."""

from uuid import UUID

import pytest

from chassis.errors import Rejected
from contracts.base import Rejection
from contracts.billing.account import EntitlementsChanged, Plan
from contracts.identity.user import UserUnknown
from contracts.identity.workspace import (
    ActivateWorkspace,
    ApplyDefaultSettings,
    ChangeWorkspaceSettings,
    CreateWorkspace,
    DeleteWorkspace,
    RenameWorkspace,
    Role,
    WorkspaceActivated,
    WorkspaceCreated,
    WorkspaceDeleted,
    WorkspaceNameMalformed,
    WorkspaceRenamed,
    WorkspaceSettings,
    WorkspaceSettingsChanged,
    WorkspaceState,
    WorkspaceTaken,
    WorkspaceUnknown,
)
from services.identity.handlers.workspaces import (
    activate_workspace,
    apply_default_settings,
    change_workspace_settings,
    create_workspace,
    delete_workspace,
    limit_members,
    rename_workspace,
)
from services.identity.model.workspaces import Workspace
from tests.services.identity.fakes import (
    FakeClock,
    FakeUsers,
    FakeWorkspaces,
    a_user,
    a_workspace,
    some_settings,
)

OWNER = a_user()
ID = UUID(int=700)


def kept_with(workspace: Workspace | None = None) -> FakeWorkspaces:
    return FakeWorkspaces({workspace.workspace_id: workspace} if workspace else {})


def a_create(owner_id: UUID = OWNER.user_id, name: str = "Engines") -> CreateWorkspace:
    return CreateWorkspace(workspace_id=ID, owner_id=owner_id, workspace_name=name)


async def create(command: CreateWorkspace, workspaces: FakeWorkspaces) -> WorkspaceCreated:
    users = FakeUsers({OWNER.user_id: OWNER})
    return await create_workspace(
        command, workspaces, users, FakeClock(), some_settings(members_max_default=7)
    )


class TestCreateWorkspace:
    async def test_makes_a_pending_one_with_its_owner_inside(self) -> None:
        workspaces = kept_with()

        answer = await create(a_create(name=" Engines "), workspaces)

        workspace = workspaces.kept[ID]
        assert answer.workspace_name == "Engines"
        assert (workspace.state, workspace.members_max) == (WorkspaceState.PENDING, 7)
        assert workspace.members[OWNER.user_id].role == Role.OWNER

    async def test_changes_nothing_the_second_time(self) -> None:
        workspaces = kept_with()

        answers = [await create(a_create(), workspaces) for _ in range(2)]

        assert answers[0] == answers[1]
        assert workspaces.saves == 1

    @pytest.mark.parametrize(
        ("command", "rejection"),
        [
            (a_create(owner_id=UUID(int=5)), UserUnknown(user_id=UUID(int=5))),
            (a_create(name=" \t"), WorkspaceNameMalformed()),
        ],
    )
    async def test_refuses_what_cannot_be(
        self, command: CreateWorkspace, rejection: Rejection
    ) -> None:
        with pytest.raises(Rejected) as refusal:
            await create(command, kept_with())

        assert refusal.value.rejection == rejection

    @pytest.mark.parametrize(
        "there",
        [
            a_workspace(UUID(int=5)),
            a_workspace(OWNER.user_id, state=WorkspaceState.DELETED),
            a_workspace(OWNER.user_id),  # active: another onboarding has finished it
        ],
    )
    async def test_refuses_an_id_that_is_used_up(self, there: Workspace) -> None:
        with pytest.raises(Rejected) as refusal:
            await create(a_create(), kept_with(there))

        assert refusal.value.rejection == WorkspaceTaken(workspace_id=ID)


class TestDeleteWorkspace:
    async def test_undoes_once_and_succeeds_again(self) -> None:
        workspaces = kept_with(a_workspace(OWNER.user_id, state=WorkspaceState.PENDING))
        command = DeleteWorkspace(workspace_id=ID)

        answers = [await delete_workspace(command, workspaces) for _ in range(2)]

        assert answers == [WorkspaceDeleted(workspace_id=ID)] * 2
        assert workspaces.saves == 1
        assert workspaces.kept[ID].state == WorkspaceState.DELETED

    async def test_succeeds_when_there_is_nothing_to_undo(self) -> None:
        workspaces = kept_with()

        answer = await delete_workspace(DeleteWorkspace(workspace_id=ID), workspaces)

        assert answer == WorkspaceDeleted(workspace_id=ID)
        assert workspaces.saves == 0

    async def test_never_takes_an_active_workspace_away(self) -> None:
        workspaces = kept_with(a_workspace(OWNER.user_id))

        answer = await delete_workspace(DeleteWorkspace(workspace_id=ID), workspaces)

        assert answer == WorkspaceDeleted(workspace_id=ID), "it is of another onboarding"
        assert workspaces.kept[ID].state == WorkspaceState.ACTIVE
        assert workspaces.saves == 0


class TestActivateWorkspace:
    async def test_brings_it_to_life_once(self) -> None:
        workspaces = kept_with(a_workspace(OWNER.user_id, state=WorkspaceState.PENDING))
        command = ActivateWorkspace(workspace_id=ID)

        answers = [await activate_workspace(command, workspaces) for _ in range(2)]

        activated = WorkspaceActivated(
            workspace_id=ID, owner_id=OWNER.user_id, workspace_name="Engines"
        )
        assert answers == [activated] * 2
        assert (workspaces.saves, workspaces.kept[ID].state) == (1, WorkspaceState.ACTIVE)

    @pytest.mark.parametrize(
        "there", [None, a_workspace(OWNER.user_id, state=WorkspaceState.DELETED)]
    )
    async def test_refuses_one_that_is_gone(self, there: Workspace | None) -> None:
        with pytest.raises(Rejected) as refusal:
            await activate_workspace(ActivateWorkspace(workspace_id=ID), kept_with(there))

        assert refusal.value.rejection == WorkspaceUnknown(workspace_id=ID)


class TestSettings:
    async def test_the_first_ones_are_the_defaults(self) -> None:
        workspaces = kept_with(a_workspace(OWNER.user_id))
        command = ApplyDefaultSettings(workspace_id=ID)

        answers = [await apply_default_settings(command, workspaces) for _ in range(2)]

        changed = WorkspaceSettingsChanged(workspace_id=ID, settings=WorkspaceSettings())
        assert answers == [changed] * 2
        assert workspaces.saves == 1

    async def test_what_an_owner_chose_before_the_defaults_came_stays(self) -> None:
        workspaces = kept_with(a_workspace(OWNER.user_id))
        chosen = WorkspaceSettings(locale="de-AT", invitation_role=Role.EDITOR)

        for _ in range(2):
            await change_workspace_settings(
                ChangeWorkspaceSettings(workspace_id=ID, settings=chosen), workspaces
            )
        answer = await apply_default_settings(ApplyDefaultSettings(workspace_id=ID), workspaces)

        assert answer.settings == chosen
        assert workspaces.saves == 1


class TestRenameWorkspace:
    async def test_changes_the_name_once(self) -> None:
        workspaces = kept_with(a_workspace(OWNER.user_id))
        command = RenameWorkspace(workspace_id=ID, workspace_name=" Looms ")

        answers = [await rename_workspace(command, workspaces) for _ in range(2)]

        assert answers == [WorkspaceRenamed(workspace_id=ID, workspace_name="Looms")] * 2
        assert workspaces.saves == 1

    async def test_a_pending_workspace_is_not_there_for_people(self) -> None:
        pending = a_workspace(OWNER.user_id, state=WorkspaceState.PENDING)

        with pytest.raises(Rejected) as refusal:
            await rename_workspace(
                RenameWorkspace(workspace_id=ID, workspace_name="Looms"), kept_with(pending)
            )

        assert refusal.value.rejection == WorkspaceUnknown(workspace_id=ID)


class TestLimitMembers:
    async def test_keeps_what_billing_announces(self) -> None:
        workspaces = kept_with(a_workspace(OWNER.user_id, members_max=3))
        event = EntitlementsChanged(
            workspace_id=ID, plan=Plan.TEAM, apps_max=1, releases_max=1, members_max=25
        )

        for _ in range(2):
            await limit_members(event, workspaces)

        assert (workspaces.kept[ID].members_max, workspaces.saves) == (25, 1)
