"""Starting and cancelling, and how a saga looks from outside."""

from uuid import UUID

import pytest

from chassis.errors import NotAllowed, Rejected
from chassis.saga.ids import FORWARD, command_id
from chassis.saga.inputs import Fact
from chassis.saga.state import SagaState
from chassis.testing.saga import SAGA_ID, START, reply_to, success_of
from contracts.billing.account import Plan, QuotaExceeded
from contracts.delivery.environment import Environment
from contracts.operation import (
    CancelOperation,
    OperationNotCancellable,
    OperationState,
    OperationUnknown,
)
from contracts.orchestrator.onboarding import OnboardWorkspace
from contracts.orchestrator.plan import ChangeWorkspacePlan
from contracts.orchestrator.publishing import PublishApp
from contracts.orchestrator.saga import SagaCancelled, SagaCompensated, SagaProgressed
from sagas.publish_app import publish_app as publish_app_saga
from services.orchestrator.handlers.operations import (
    cancel_operation,
    change_workspace_plan,
    onboard_workspace,
    publish_app,
)
from services.orchestrator.model import announce, operation_of
from tests.services.orchestrator.fakes import ACTOR, WORKSPACE, FakeSagas, a_context

APP = UUID(int=8)


def a_publish_app() -> PublishApp:
    return PublishApp(
        workspace_id=WORKSPACE,
        app_id=APP,
        revision_id=UUID(int=9),
        environment=Environment.PRODUCTION,
    )


def a_cancel(workspace_id: UUID = WORKSPACE) -> CancelOperation:
    return CancelOperation(workspace_id=workspace_id, operation_id=SAGA_ID)


async def a_publish(sagas: FakeSagas, steps_done: int) -> SagaState:
    """A publish of which so many steps are done."""
    await publish_app(a_publish_app(), sagas, a_context())
    for index in range(steps_done):
        state = sagas.states[SAGA_ID]
        answer = success_of(publish_app_saga.steps[index].command, state.data)
        sagas.happen(state, reply_to(command_id(SAGA_ID, index, FORWARD), answer, START))
    return sagas.states[SAGA_ID]


class TestPublishApp:
    async def test_answers_an_operation_at_once(self) -> None:
        sagas = FakeSagas()

        operation = await publish_app(a_publish_app(), sagas, a_context())

        assert operation.operation_id == SAGA_ID
        assert operation.state == OperationState.RUNNING
        assert (operation.kind, operation.owner) == ("publish_app", "orchestrator")
        assert operation.subject_id == str(APP)
        assert operation.step == "ReserveQuota"
        assert (operation.done, operation.total) == (0, 6)
        assert operation.cancellable
        assert operation.finished_at is None

    async def test_the_result_has_what_the_saga_made(self) -> None:
        sagas = FakeSagas()

        operation = operation_of(await a_publish(sagas, 6))

        assert operation.state == OperationState.COMPLETED
        assert "release_id" in operation.result
        assert "app_id" not in operation.result
        assert [step.state for step in operation.steps] == ["done"] * 6
        assert operation.finished_at == START
        assert not operation.cancellable


class TestOnboardWorkspace:
    async def test_is_for_the_caller_only(self) -> None:
        command = OnboardWorkspace(
            workspace_id=WORKSPACE, owner_id=UUID(int=71), workspace_name="Theirs"
        )

        with pytest.raises(NotAllowed):
            await onboard_workspace(command, FakeSagas(), a_context(ACTOR))

    async def test_answers_an_operation_at_once(self) -> None:
        command = OnboardWorkspace(workspace_id=WORKSPACE, owner_id=ACTOR, workspace_name="Ours")

        operation = await onboard_workspace(command, FakeSagas(), a_context(ACTOR))

        assert operation.subject_id == str(WORKSPACE)
        assert "app_id" in operation.result


class TestCancelOperation:
    async def test_undoes_what_has_not_passed_its_pivot(self) -> None:
        sagas = FakeSagas()
        await a_publish(sagas, 2)

        operation = await cancel_operation(a_cancel(), sagas, a_context())

        assert operation.state == OperationState.COMPENSATING
        assert operation.error_type == SagaCancelled.address.type
        assert operation.step == "StageRelease"

    async def test_what_is_not_about_an_app_is_cancelled_by_who_began_it_only(self) -> None:
        sagas = FakeSagas()
        change = ChangeWorkspacePlan(workspace_id=WORKSPACE, plan=Plan.TEAM, payment_token="tok")
        await change_workspace_plan(change, sagas, a_context(ACTOR))

        with pytest.raises(NotAllowed):
            await cancel_operation(a_cancel(), sagas, a_context(UUID(int=71)))
        operation = await cancel_operation(a_cancel(), sagas, a_context(ACTOR))

        assert operation.error_type == SagaCancelled.address.type

    async def test_a_colleague_cancels_a_publish(self) -> None:
        sagas = FakeSagas()
        await a_publish(sagas, 1)

        operation = await cancel_operation(a_cancel(), sagas, a_context(UUID(int=71)))

        assert operation.state == OperationState.COMPENSATING

    async def test_again_is_success(self) -> None:
        sagas = FakeSagas()
        await a_publish(sagas, 1)
        await cancel_operation(a_cancel(), sagas, a_context())

        operation = await cancel_operation(a_cancel(), sagas, a_context())

        assert operation.state == OperationState.COMPENSATING

    @pytest.mark.parametrize("steps_done", [3, 4, 6])
    async def test_is_refused_once_the_pivot_is_sent(self, steps_done: int) -> None:
        sagas = FakeSagas()
        await a_publish(sagas, steps_done)

        with pytest.raises(Rejected) as refusal:
            await cancel_operation(a_cancel(), sagas, a_context())

        assert isinstance(refusal.value.rejection, OperationNotCancellable)

    async def test_another_workspaces_operation_is_unknown(self) -> None:
        sagas = FakeSagas()
        await a_publish(sagas, 1)

        with pytest.raises(Rejected) as refusal:
            await cancel_operation(a_cancel(UUID(int=99)), sagas, a_context())

        assert refusal.value.rejection == OperationUnknown(operation_id=SAGA_ID)


class TestAnnounce:
    async def test_progress_counts_the_steps_that_are_done(self) -> None:
        state = await a_publish(FakeSagas(), 2)

        event = announce(publish_app_saga, state, Fact.PROGRESSED)

        assert event == SagaProgressed(
            workspace_id=WORKSPACE,
            operation_id=SAGA_ID,
            kind="publish_app",
            step="StageRelease",
            done=2,
            total=6,
        )

    async def test_an_end_says_why(self) -> None:
        sagas = FakeSagas()
        state = await a_publish(sagas, 0)
        refusal = QuotaExceeded(workspace_id=WORKSPACE, units_left=0)
        ended = sagas.happen(state, reply_to(command_id(SAGA_ID, 0, FORWARD), refusal, START))

        event = announce(publish_app_saga, ended, Fact.COMPENSATED)

        assert isinstance(event, SagaCompensated)
        assert event.error_type == "billing.QuotaExceeded.v1"
        assert event.error["units_left"] == 0
