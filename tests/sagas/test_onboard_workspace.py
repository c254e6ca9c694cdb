"""Stories of onboard_workspace: each step failing, silent, late, doubled; cancelled."""

from uuid import UUID

import pytest

from chassis.testing.saga import SILENCE, saga_story
from contracts.base import Message
from contracts.billing.account import AccountIsClosed, CloseAccount, OpenAccount
from contracts.identity.workspace import (
    ActivateWorkspace,
    ApplyDefaultSettings,
    CreateWorkspace,
    DeleteWorkspace,
    WorkspaceTaken,
    WorkspaceUnknown,
)
from contracts.orchestrator.onboarding import OnboardWorkspace
from contracts.orchestrator.saga import StepUnanswered
from contracts.studio.app import AppUnknown, CreateStarterApp, DiscardStarterApp
from sagas.onboard_workspace import onboard_workspace

WORKSPACE, OWNER = UUID(int=7), UUID(int=8)
FORWARDS: list[type[Message]] = [
    CreateWorkspace,
    OpenAccount,
    CreateStarterApp,
    ActivateWorkspace,
    ApplyDefaultSettings,
]
BACKWARDS = [DiscardStarterApp, CloseAccount, DeleteWorkspace]


def an_onboarding() -> OnboardWorkspace:
    return OnboardWorkspace(workspace_id=WORKSPACE, owner_id=OWNER, workspace_name="Ours")


class TestOnboardWorkspace:
    def test_completes_with_the_starter_app(self) -> None:
        story = saga_story(onboard_workspace, started=an_onboarding())

        outcome = story.run()

        assert outcome.status == "COMPLETED"
        assert outcome.sent == FORWARDS
        assert outcome.sends[2].fields["app_id"] == outcome.state.data["app_id"]

    @pytest.mark.parametrize(
        ("command", "refusal", "undone"),
        [
            (CreateWorkspace, WorkspaceTaken(workspace_id=WORKSPACE), 0),
            (OpenAccount, AccountIsClosed(workspace_id=WORKSPACE), 1),
            (CreateStarterApp, AppUnknown(app_id=UUID(int=1)), 2),
            (ActivateWorkspace, WorkspaceUnknown(workspace_id=WORKSPACE), 3),
        ],
    )
    def test_a_refused_step_undoes_those_before_it(
        self, command: type[Message], refusal: Message, undone: int
    ) -> None:
        story = saga_story(onboard_workspace, started=an_onboarding())

        outcome = story.when(command, answers=refusal).run()

        assert outcome.status == "COMPENSATED"
        forwards = FORWARDS[: FORWARDS.index(command) + 1]
        assert outcome.sent == forwards + BACKWARDS[len(BACKWARDS) - undone :]
        assert outcome.state.error_type == refusal.address.type

    @pytest.mark.parametrize("index", [0, 1, 2])
    def test_a_silent_step_is_undone_with_those_before_it(self, index: int) -> None:
        story = saga_story(onboard_workspace, started=an_onboarding())

        outcome = story.when(FORWARDS[index], answers=SILENCE, times=50).run()

        assert outcome.status == "COMPENSATED"
        assert outcome.sent[-index - 1 :] == BACKWARDS[2 - index :]
        assert outcome.state.error_type == StepUnanswered.address.type

    @pytest.mark.parametrize("command", [ActivateWorkspace, ApplyDefaultSettings])
    def test_a_silent_step_past_the_pivot_is_tried_until_it_answers(
        self, command: type[Message]
    ) -> None:
        story = saga_story(onboard_workspace, started=an_onboarding())

        outcome = story.when(command, answers=SILENCE, times=30).run()

        assert outcome.status == "COMPLETED"
        assert outcome.sent.count(command) == 31
        assert outcome.facts.count("needs_attention") == 1

    def test_settings_refused_call_somebody_and_go_on(self) -> None:
        story = saga_story(onboard_workspace, started=an_onboarding())
        refusal = WorkspaceUnknown(workspace_id=WORKSPACE)

        outcome = story.when(ApplyDefaultSettings, answers=refusal).run()

        assert outcome.status == "COMPLETED"
        assert "needs_attention" in outcome.facts

    @pytest.mark.parametrize("command", FORWARDS)
    def test_an_answer_that_comes_twice_counts_once(self, command: type[Message]) -> None:
        story = saga_story(onboard_workspace, started=an_onboarding())

        outcome = story.repeat_answer(command).run()

        assert outcome.sent == FORWARDS
        assert len(outcome.ignored) == 1

    def test_an_answer_that_comes_late_does_not_stop_the_undoing(self) -> None:
        story = saga_story(onboard_workspace, started=an_onboarding())

        outcome = story.late_answer(OpenAccount, after=CloseAccount).run()

        assert outcome.status == "COMPENSATED"
        assert outcome.sent[-2:] == [CloseAccount, DeleteWorkspace]
        assert outcome.ignored == ["late: answer to OpenAccount, which is being undone"]

    def test_a_compensation_that_fails_is_tried_until_it_succeeds(self) -> None:
        story = saga_story(onboard_workspace, started=an_onboarding())
        story.when(ActivateWorkspace, answers=WorkspaceUnknown(workspace_id=WORKSPACE))

        outcome = story.when(CloseAccount, answers=SILENCE, times=15).run()

        assert outcome.status == "COMPENSATED"
        assert outcome.sent.count(CloseAccount) == 16

    @pytest.mark.parametrize(
        ("command", "status"),
        [(CreateStarterApp, "COMPENSATED"), (ActivateWorkspace, "COMPLETED")],
    )
    def test_cancelling_works_until_the_pivot_is_sent(
        self, command: type[Message], status: str
    ) -> None:
        story = saga_story(onboard_workspace, started=an_onboarding())

        outcome = story.cancel_when_sent(command).run()

        assert outcome.status == status
