"""Stories of change_plan: refused, silent, out of time; the money moves once or not at all."""

from uuid import UUID

import pytest

from chassis.saga.ids import FORWARD, command_id
from chassis.testing.saga import SAGA_ID, SILENCE, Outcome, saga_story
from contracts.base import Message
from contracts.billing.account import Plan, PlanTooSmall
from contracts.billing.payment import (
    AuthorisePayment,
    CapturePayment,
    PaymentDeclined,
    VoidPayment,
)
from contracts.billing.plan_change import ApplyPlan, CancelPlanChange, OpenPlanChange
from contracts.identity.workspace import ApplySeats, DropSeatsHold, HoldSeats, SeatsInUse
from contracts.orchestrator.plan import ChangeWorkspacePlan
from contracts.studio.app import ApplyApps, AppsInUse, DropAppsHold, HoldApps
from sagas.change_plan import change_plan

WORKSPACE, PAYMENT = UUID(int=7), UUID(int=8)
FORWARDS: list[type[Message]] = [
    OpenPlanChange,
    HoldSeats,
    HoldApps,
    AuthorisePayment,
    CapturePayment,
    ApplyPlan,
    ApplySeats,
    ApplyApps,
]
HELD: list[type[Message]] = [DropSeatsHold, DropAppsHold, CancelPlanChange]
NOTHING: list[type[Message]] = []
TOO_SMALL = PlanTooSmall(workspace_id=WORKSPACE, plan=Plan.FREE, units_used=3, releases_max=2)
SEATS_IN_USE = SeatsInUse(workspace_id=WORKSPACE, members=4, members_max=3)
APPS_IN_USE = AppsInUse(workspace_id=WORKSPACE, apps=6, apps_max=5)
DECLINED = PaymentDeclined(workspace_id=WORKSPACE, payment_id=PAYMENT, reason="expired_card")


def a_change_workspace_plan() -> ChangeWorkspacePlan:
    return ChangeWorkspacePlan(workspace_id=WORKSPACE, plan=Plan.TEAM, payment_token="tok-ok")


def undone_by(outcome: Outcome) -> set[type[Message]]:
    """What was sent to undo it."""
    return {send.command for send in outcome.sends if send.forward_id}


class TestChangePlan:
    def test_completes_when_every_step_does(self) -> None:
        outcome = saga_story(change_plan, started=a_change_workspace_plan()).run()

        assert outcome.status == "COMPLETED"
        assert outcome.sent == FORWARDS
        assert outcome.state.wake_at is None

    def test_seats_and_apps_are_held_together_to_the_limits_of_the_opened_change(self) -> None:
        outcome = saga_story(change_plan, started=a_change_workspace_plan()).run()

        sends = {send.command: send.fields for send in outcome.sends}
        together = [send.command for send in outcome.decisions[1].commands]
        assert together == FORWARDS[1:3]
        assert sends[HoldSeats]["members_max"] == outcome.state.data["members_max"]
        assert sends[HoldApps]["apps_max"] == outcome.state.data["apps_max"]
        assert sends[HoldSeats]["hold_id"] == sends[ApplyPlan]["hold_id"]

    def test_one_payment_is_authorised_captured_and_applied(self) -> None:
        outcome = saga_story(change_plan, started=a_change_workspace_plan()).run()

        sends = {send.command: send.fields for send in outcome.sends}
        ids = {sends[each]["payment_id"] for each in (AuthorisePayment, CapturePayment, ApplyPlan)}
        assert len(ids) == 1
        assert sends[AuthorisePayment]["payment_token"] == "tok-ok"
        assert "payment_token" not in sends[CapturePayment]

    @pytest.mark.parametrize(
        ("command", "refusal", "undone"),
        [
            (OpenPlanChange, TOO_SMALL, NOTHING),
            (HoldSeats, SEATS_IN_USE, HELD[1:]),
            (HoldApps, APPS_IN_USE, HELD[::2]),
            (AuthorisePayment, DECLINED, HELD),
            (CapturePayment, DECLINED, [VoidPayment, *HELD]),
        ],
    )
    def test_a_refused_step_undoes_those_before_it_and_says_why(
        self, command: type[Message], refusal: Message, undone: list[type[Message]]
    ) -> None:
        story = saga_story(change_plan, started=a_change_workspace_plan())

        outcome = story.when(command, answers=refusal).run()

        assert outcome.status == "COMPENSATED"
        assert undone_by(outcome) == set(undone)
        assert outcome.state.error_type == refusal.address.type
        assert ApplyPlan not in outcome.sent

    def test_an_authorisation_in_doubt_is_voided_by_its_own_command_id(self) -> None:
        story = saga_story(change_plan, started=a_change_workspace_plan())

        outcome = story.when(AuthorisePayment, answers=SILENCE, times=50).run()

        assert outcome.status == "COMPENSATED"
        forwards = {s.command: s.forward_id for s in outcome.sends if s.forward_id}
        assert forwards[VoidPayment] == command_id(SAGA_ID, 3, FORWARD)
        assert CapturePayment not in outcome.sent

    def test_a_silent_capture_is_asked_again_under_one_id_and_never_given_up(self) -> None:
        story = saga_story(change_plan, started=a_change_workspace_plan())

        outcome = story.when(CapturePayment, answers=SILENCE, times=200).run()

        assert outcome.status == "COMPLETED"
        assert outcome.took > change_plan.deadline
        ids = {send.command_id for send in outcome.sends if send.command is CapturePayment}
        assert len(ids) == 1
        assert not undone_by(outcome)

    def test_a_silent_capture_that_turns_out_declined_is_undone(self) -> None:
        story = saga_story(change_plan, started=a_change_workspace_plan())
        story.when(CapturePayment, answers=SILENCE, times=100)

        outcome = story.when(CapturePayment, answers=DECLINED).run()

        assert outcome.status == "COMPENSATED"
        assert undone_by(outcome) == {VoidPayment, *HELD}

    @pytest.mark.parametrize("command", [ApplyPlan, ApplySeats, ApplyApps])
    def test_what_is_paid_for_comes_true_however_long_it_takes(
        self, command: type[Message]
    ) -> None:
        story = saga_story(change_plan, started=a_change_workspace_plan())

        outcome = story.when(command, answers=SILENCE, times=40).run()

        assert outcome.status == "COMPLETED"
        assert not undone_by(outcome)

    @pytest.mark.parametrize("command", [OpenPlanChange, HoldSeats, AuthorisePayment])
    def test_cancelled_before_the_capture_it_is_undone(self, command: type[Message]) -> None:
        story = saga_story(change_plan, started=a_change_workspace_plan())

        outcome = story.cancel_when_sent(command).run()

        assert outcome.status == "COMPENSATED"
        assert CapturePayment not in outcome.sent

    def test_cancelled_while_the_money_is_taken_it_completes(self) -> None:
        story = saga_story(change_plan, started=a_change_workspace_plan())

        outcome = story.cancel_when_sent(CapturePayment).run()

        assert outcome.status == "COMPLETED"
