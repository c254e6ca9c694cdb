"""Every mutation: which commands clients may send, and how they can be refused."""

from typing import Any

import strawberry

from contracts.deadletter import DiscardDeadLetters, RedriveDeadLetters
from contracts.delivery.release import (
    AppIsGone,
    AppNotReleased,
    LivePointerMoved,
    NothingLive,
    ReleaseNotSwitchable,
    ReleaseUnknown,
    RollBack,
    SetAppVisibility,
    UnpublishApp,
)
from contracts.identity.session import (
    LogIn,
    LogOut,
    LogOutEverywhere,
    RevokeSession,
    SessionUnknown,
)
from contracts.identity.user import (
    ChangePassword,
    CredentialsRefused,
    EmailMalformed,
    EmailTaken,
    PasswordTooWeak,
    Register,
    TooManyAttempts,
)
from contracts.identity.workspace import (
    AcceptInvitation,
    AlreadyMember,
    ChangeMemberRole,
    ChangeWorkspaceSettings,
    InvitationForSomebodyElse,
    InvitationUnknown,
    InviteMember,
    LastOwner,
    LeaveWorkspace,
    MembersLimitReached,
    MemberUnknown,
    RemoveMember,
    RenameWorkspace,
    RevokeInvitation,
    WorkspaceNameMalformed,
    WorkspaceUnknown,
)
from contracts.operation import CancelOperation, OperationNotCancellable, OperationUnknown
from contracts.orchestrator.onboarding import OnboardWorkspace
from contracts.orchestrator.operating import (
    AbandonSaga,
    ApprovalIsForOthers,
    CompensateSaga,
    DecideApproval,
    PauseSaga,
    ResumeSaga,
    RetrySaga,
    RetrySagas,
    SagaMoved,
    SagaUnknown,
    SignalSaga,
    SkipStep,
    VerbNotPossible,
)
from contracts.orchestrator.plan import ChangeWorkspacePlan
from contracts.orchestrator.publishing import PublishApp
from contracts.studio.app import (
    AddEntity,
    AppIsArchived,
    AppLimitReached,
    AppNotArchived,
    AppUnknown,
    ArchiveApp,
    ChangeEntity,
    ChoiceUnknown,
    CreateApp,
    DeleteApp,
    DeleteEntity,
    DuplicateEntity,
    EntityInUse,
    EntityNameTaken,
    EntityUnknown,
    HeadMoved,
    ImportApp,
    MergeRevisions,
    MoveEntity,
    RemoveEntity,
    RenameApp,
    RenameEntity,
    RestoreApp,
    RestoreRevision,
    RevisionUnknown,
    SourceInvalid,
    VersionConflict,
)
from services.gateway.graphql import queries  # noqa: F401  # types by hand come before derived
from services.gateway.graphql.mutation import mutation
from services.gateway.graphql.publishing import fill_import, fill_publish, judge_publish
from services.gateway.scope import Scope


async def as_caller(scope: Scope, fields: dict[str, Any]) -> dict[str, Any]:
    """A command about the caller: nobody says who they are, their token does."""
    return {"user_id": (await scope.caller()).user_id}


async def as_session(scope: Scope, fields: dict[str, Any]) -> dict[str, Any]:
    """A command about the caller and this very session."""
    caller = await scope.caller()
    return {"user_id": caller.user_id, "session_id": caller.session_id}


async def as_owner(scope: Scope, fields: dict[str, Any]) -> dict[str, Any]:
    """Whoever makes a workspace owns it, and may watch its making before there is one."""
    user_id = (await scope.caller()).user_id
    await scope.world.memory.found(fields["workspace_id"], user_id)
    return {"owner_id": user_id}


EDIT = (AppUnknown, AppIsArchived, EntityUnknown, VersionConflict, SourceInvalid)
ABOUT_ME = ("user_id",)
THIS_SESSION = ("user_id", "session_id")
RELEASED = (AppNotReleased, AppIsGone)
ON_A_SAGA = (SagaUnknown, SagaMoved, VerbNotPossible)
MEMBERS = (WorkspaceUnknown, MemberUnknown, LastOwner)


@strawberry.type
class IdentityMutation:
    """Users, sessions, workspaces, members, invitations."""

    register = mutation(Register, refusals=(EmailMalformed, EmailTaken, PasswordTooWeak))
    log_in = mutation(LogIn, refusals=(CredentialsRefused, TooManyAttempts))
    log_out = mutation(LogOut, hide=THIS_SESSION, fill=as_session)
    log_out_everywhere = mutation(LogOutEverywhere, hide=ABOUT_ME, fill=as_caller)
    revoke_session = mutation(
        RevokeSession, refusals=(SessionUnknown,), hide=ABOUT_ME, fill=as_caller
    )
    change_password = mutation(
        ChangePassword,
        refusals=(CredentialsRefused, PasswordTooWeak, TooManyAttempts),
        hide=THIS_SESSION,
        fill=as_session,
    )
    create_workspace = mutation(
        OnboardWorkspace,
        name="CreateWorkspace",
        mints=("workspace_id",),
        hide=("owner_id",),
        fill=as_owner,
    )
    rename_workspace = mutation(
        RenameWorkspace, refusals=(WorkspaceUnknown, WorkspaceNameMalformed)
    )
    change_workspace_settings = mutation(ChangeWorkspaceSettings, refusals=(WorkspaceUnknown,))
    change_member_role = mutation(ChangeMemberRole, refusals=MEMBERS)
    remove_member = mutation(RemoveMember, refusals=(WorkspaceUnknown, LastOwner))
    leave_workspace = mutation(LeaveWorkspace, refusals=(WorkspaceUnknown, LastOwner))
    invite_member = mutation(
        InviteMember,
        refusals=(WorkspaceUnknown, EmailMalformed, AlreadyMember, MembersLimitReached),
    )
    revoke_invitation = mutation(RevokeInvitation, refusals=(WorkspaceUnknown,))
    accept_invitation = mutation(
        AcceptInvitation,
        refusals=(InvitationUnknown, InvitationForSomebodyElse, MembersLimitReached),
        hide=ABOUT_ME,
        fill=as_caller,
    )


@strawberry.type
class StudioMutation:
    """The draft of an app."""

    create_app = mutation(CreateApp, refusals=(AppLimitReached,), mints=("app_id",))
    rename_app = mutation(RenameApp, refusals=(AppUnknown, AppIsArchived))
    archive_app = mutation(ArchiveApp, refusals=(AppUnknown,))
    restore_app = mutation(RestoreApp, refusals=(AppUnknown, AppNotArchived, AppLimitReached))
    delete_app = mutation(DeleteApp, refusals=(AppUnknown, AppNotArchived))
    add_entity = mutation(AddEntity, refusals=(*EDIT, EntityNameTaken))
    change_entity = mutation(ChangeEntity, refusals=(*EDIT, EntityNameTaken))
    remove_entity = mutation(RemoveEntity, refusals=EDIT, deprecated="Send deleteEntity.")
    move_entity = mutation(MoveEntity, refusals=(*EDIT, EntityNameTaken, EntityInUse))
    duplicate_entity = mutation(DuplicateEntity, refusals=(*EDIT, EntityNameTaken))
    delete_entity = mutation(DeleteEntity, refusals=(*EDIT, EntityInUse))
    rename_entity = mutation(RenameEntity, refusals=(*EDIT, EntityNameTaken))
    restore_revision = mutation(
        RestoreRevision, refusals=(AppUnknown, AppIsArchived, RevisionUnknown, HeadMoved)
    )
    merge_revisions = mutation(
        MergeRevisions,
        refusals=(AppUnknown, AppIsArchived, RevisionUnknown, HeadMoved, ChoiceUnknown),
    )
    import_app = mutation(
        ImportApp,
        refusals=(AppUnknown, AppIsArchived, AppLimitReached, RevisionUnknown),
        mints=("operation_id",),
        fills=("app_id",),
        fill=fill_import,
    )


@strawberry.type
class ReleaseMutation:
    """Publishing, and what is live; plans."""

    publish_app = mutation(
        PublishApp,
        refusals=(AppUnknown, RevisionUnknown),
        fills=("revision_id", "previous_release_id"),
        hide=("approval_required",),
        fill=fill_publish,
        judge=judge_publish,
    )
    roll_back = mutation(
        RollBack,
        refusals=(*RELEASED, ReleaseUnknown, ReleaseNotSwitchable, LivePointerMoved, NothingLive),
    )
    unpublish_app = mutation(UnpublishApp, refusals=(*RELEASED, NothingLive))
    set_app_visibility = mutation(SetAppVisibility, refusals=RELEASED)
    change_plan = mutation(ChangeWorkspacePlan, name="ChangePlan")
    cancel_operation = mutation(
        CancelOperation, refusals=(OperationUnknown, OperationNotCancellable)
    )
    decide_approval = mutation(
        DecideApproval, refusals=(OperationUnknown, VerbNotPossible, ApprovalIsForOthers)
    )


@strawberry.type
class OperatorMutation:
    """For operators of the platform: verbs on sagas and on dead letters."""

    retry_saga = mutation(RetrySaga, refusals=ON_A_SAGA, hide=("operator",))
    skip_step = mutation(SkipStep, refusals=ON_A_SAGA, hide=("operator",))
    compensate_saga = mutation(CompensateSaga, refusals=ON_A_SAGA, hide=("operator",))
    pause_saga = mutation(PauseSaga, refusals=ON_A_SAGA, hide=("operator",))
    resume_saga = mutation(ResumeSaga, refusals=ON_A_SAGA, hide=("operator",))
    abandon_saga = mutation(AbandonSaga, refusals=ON_A_SAGA, hide=("operator",))
    signal_saga = mutation(SignalSaga, refusals=ON_A_SAGA, hide=("operator",))
    retry_sagas = mutation(RetrySagas, hide=("operator",))
    redrive_dead_letters = mutation(RedriveDeadLetters, hide=("operator",), by_service=True)
    discard_dead_letters = mutation(DiscardDeadLetters, hide=("operator",), by_service=True)
