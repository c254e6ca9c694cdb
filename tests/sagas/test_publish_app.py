"""Stories of publish_app: each step failing, silent, late, doubled; cancelled; out of time."""

from datetime import timedelta
from uuid import UUID

import pytest

from chassis.saga.ids import FORWARD, command_id
from chassis.testing.saga import SAGA_ID, SILENCE, saga_story
from contracts.base import Message
from contracts.billing.account import CommitQuota, QuotaExceeded, ReleaseQuota, ReserveQuota
from contracts.delivery.environment import Environment
from contracts.delivery.release import (
    AbandonRelease,
    BundleCorrupt,
    LivePointerMoved,
    ReleaseStaged,
    StageRelease,
    SwitchLivePointer,
)
from contracts.orchestrator.publishing import PublishApp
from contracts.orchestrator.saga import DeadlinePassed, SagaCancelled, StepUnanswered
from contracts.studio.app import (
    AppNotPublishable,
    AppUnknown,
    FreezeRevision,
    TagRevision,
    UnfreezeRevision,
)
from sagas.publish_app import publish_app

WORKSPACE, APP, REVISION = UUID(int=7), UUID(int=8), UUID(int=9)
FORWARDS: list[type[Message]] = [
    ReserveQuota,
    FreezeRevision,
    StageRelease,
    SwitchLivePointer,
    CommitQuota,
    TagRevision,
]


def a_publish_app() -> PublishApp:
    return PublishApp(
        workspace_id=WORKSPACE,
        app_id=APP,
        revision_id=REVISION,
        environment=Environment.STAGING,
    )


def a_quota_exceeded() -> QuotaExceeded:
    return QuotaExceeded(workspace_id=WORKSPACE, units_left=0)


def a_pointer_moved() -> LivePointerMoved:
    return LivePointerMoved(
        app_id=APP, environment=Environment.STAGING, live_release_id=UUID(int=1)
    )


def a_dangling_name() -> AppNotPublishable:
    return AppNotPublishable(app_id=APP, reason="a name that nothing has", problems_count=1)


def a_corrupt_bundle() -> BundleCorrupt:
    return BundleCorrupt(app_id=APP, release_id=UUID(int=2), path="page.json", rule="digest")


class TestPublishApp:
    def test_completes_when_every_step_does(self) -> None:
        story = saga_story(publish_app, started=a_publish_app())

        outcome = story.run()

        assert outcome.status == "COMPLETED"
        assert outcome.sent == FORWARDS
        assert outcome.facts == ["started", *["progressed"] * 5, "completed"]
        assert outcome.state.wake_at is None

    def test_hands_fields_on_by_name(self) -> None:
        story = saga_story(publish_app, started=a_publish_app())

        sends = {send.command: send.fields for send in story.run().sends}

        assert sends[StageRelease]["bundle_digest"] == "bundle_digest"
        assert sends[StageRelease]["release_id"] == sends[TagRevision]["release_id"]
        assert sends[CommitQuota]["pointer_version"] == 1
        assert sends[SwitchLivePointer]["previous_release_id"] is None

    @pytest.mark.parametrize(
        ("command", "refusal", "sent"),
        [
            (ReserveQuota, a_quota_exceeded(), []),
            (FreezeRevision, AppUnknown(app_id=APP), [ReleaseQuota]),
            (FreezeRevision, a_dangling_name(), [ReleaseQuota]),
            (StageRelease, a_corrupt_bundle(), [UnfreezeRevision, ReleaseQuota]),
            (
                SwitchLivePointer,
                a_pointer_moved(),
                [AbandonRelease, UnfreezeRevision, ReleaseQuota],
            ),
        ],
    )
    def test_a_refused_step_undoes_those_before_it(
        self, command: type[Message], refusal: Message, sent: list[type[Message]]
    ) -> None:
        story = saga_story(publish_app, started=a_publish_app()).when(command, answers=refusal)

        outcome = story.run()

        assert outcome.status == "COMPENSATED"
        assert outcome.sent == FORWARDS[: FORWARDS.index(command) + 1] + sent
        assert outcome.state.error_type == refusal.address.type
        assert outcome.state.error == refusal.model_dump(mode="json")

    @pytest.mark.parametrize("command", [CommitQuota, TagRevision])
    def test_a_refusal_after_the_pivot_calls_somebody_and_goes_on(
        self, command: type[Message]
    ) -> None:
        story = saga_story(publish_app, started=a_publish_app())
        story.when(command, answers=a_quota_exceeded())

        outcome = story.run()

        assert outcome.status == "COMPLETED"
        assert outcome.facts.count("needs_attention") == 1
        first, second = (send.command_id for send in outcome.sends if send.command == command)
        assert first != second  # the inbox would repeat the refusal for ever

    @pytest.mark.parametrize(
        ("command", "undone"),
        [
            (ReserveQuota, [ReleaseQuota]),
            (FreezeRevision, [UnfreezeRevision, ReleaseQuota]),
            (StageRelease, [AbandonRelease, UnfreezeRevision, ReleaseQuota]),
        ],
    )
    def test_a_silent_step_is_undone_too_since_it_may_have_happened(
        self, command: type[Message], undone: list[type[Message]]
    ) -> None:
        story = saga_story(publish_app, started=a_publish_app())

        outcome = story.when(command, answers=SILENCE, times=50).run()

        assert outcome.status == "COMPENSATED"
        assert outcome.sent[-len(undone) :] == undone
        assert outcome.state.error_type == StepUnanswered.address.type
        ids = {send.command_id for send in outcome.sends if send.command == command}
        assert len(ids) == 1  # constant over retries

    def test_a_lost_answer_is_asked_for_again(self) -> None:
        story = saga_story(publish_app, started=a_publish_app())

        outcome = story.when(StageRelease, answers=SILENCE).run()

        assert outcome.status == "COMPLETED"
        assert outcome.sent.count(StageRelease) == 2

    def test_a_silent_pivot_is_never_given_up(self) -> None:
        story = saga_story(publish_app, started=a_publish_app())

        outcome = story.when(SwitchLivePointer, answers=SILENCE, times=300).run()

        assert outcome.status == "COMPLETED"
        assert outcome.took > publish_app.deadline
        assert "compensating" not in outcome.facts
        assert outcome.facts.count("needs_attention") == 1

    def test_a_pivot_in_doubt_that_turns_out_refused_is_undone(self) -> None:
        story = saga_story(publish_app, started=a_publish_app())
        story.when(SwitchLivePointer, answers=SILENCE, times=200)

        outcome = story.when(SwitchLivePointer, answers=a_pointer_moved()).run()

        assert outcome.status == "COMPENSATED"
        assert outcome.sent[-3:] == [AbandonRelease, UnfreezeRevision, ReleaseQuota]

    @pytest.mark.parametrize("command", FORWARDS)
    def test_an_answer_that_comes_twice_counts_once(self, command: type[Message]) -> None:
        story = saga_story(publish_app, started=a_publish_app())

        outcome = story.repeat_answer(command).run()

        assert outcome.status == "COMPLETED"
        assert outcome.sent == FORWARDS
        assert len(outcome.ignored) == 1
        assert command.__name__ in outcome.ignored[0]

    def test_an_answer_that_comes_late_does_not_stop_the_undoing(self) -> None:
        story = saga_story(publish_app, started=a_publish_app())

        outcome = story.late_answer(StageRelease, after=AbandonRelease).run()

        assert outcome.status == "COMPENSATED"
        assert outcome.ignored == ["late: answer to StageRelease, which is being undone"]
        assert outcome.sent[-3:] == [AbandonRelease, UnfreezeRevision, ReleaseQuota]

    def test_a_compensation_names_the_command_that_it_undoes(self) -> None:
        story = saga_story(publish_app, started=a_publish_app())

        outcome = story.when(SwitchLivePointer, answers=a_pointer_moved()).run()

        undone = {send.command: send.forward_id for send in outcome.sends if send.forward_id}
        assert undone == {
            AbandonRelease: command_id(SAGA_ID, 2, FORWARD),
            UnfreezeRevision: command_id(SAGA_ID, 1, FORWARD),
            ReleaseQuota: command_id(SAGA_ID, 0, FORWARD),
        }

    @pytest.mark.parametrize("answer", [SILENCE, a_quota_exceeded()])
    def test_a_compensation_that_fails_is_tried_until_it_succeeds(self, answer: Message) -> None:
        story = saga_story(publish_app, started=a_publish_app())
        story.when(SwitchLivePointer, answers=a_pointer_moved())

        outcome = story.when(UnfreezeRevision, answers=answer, times=20).run()

        assert outcome.status == "COMPENSATED"
        assert outcome.sent.count(UnfreezeRevision) == 21
        assert outcome.facts.count("needs_attention") == 1
        assert outcome.state.error_type == LivePointerMoved.address.type

    @pytest.mark.parametrize("command", [ReserveQuota, FreezeRevision, StageRelease])
    def test_cancelled_before_the_pivot_it_is_undone(self, command: type[Message]) -> None:
        story = saga_story(publish_app, started=a_publish_app())

        outcome = story.cancel_when_sent(command).run()

        assert outcome.status == "COMPENSATED"
        assert SwitchLivePointer not in outcome.sent
        assert outcome.state.error_type == SagaCancelled.address.type
        assert len(outcome.ignored) == 1  # the answer of the step in doubt

    @pytest.mark.parametrize("command", [SwitchLivePointer, CommitQuota, TagRevision])
    def test_cancelled_after_the_pivot_it_completes(self, command: type[Message]) -> None:
        story = saga_story(publish_app, started=a_publish_app())

        outcome = story.cancel_when_sent(command).run()

        assert outcome.status == "COMPLETED"
        assert outcome.ignored == ["cancel: it has passed its pivot"]

    def test_out_of_time_before_the_pivot_it_is_undone(self) -> None:
        story = saga_story(publish_app, started=a_publish_app())
        story.lock_granted_after(publish_app.deadline - timedelta(seconds=1))

        outcome = story.when(FreezeRevision, answers=SILENCE, times=9).run()

        assert outcome.status == "COMPENSATED"
        assert outcome.state.error_type == DeadlinePassed.address.type
        assert outcome.took == publish_app.deadline
        assert outcome.sent[-2:] == [UnfreezeRevision, ReleaseQuota]

    def test_out_of_time_after_the_pivot_it_goes_forward(self) -> None:
        story = saga_story(publish_app, started=a_publish_app())

        outcome = story.when(TagRevision, answers=SILENCE, times=40).run()

        assert outcome.status == "COMPLETED"
        assert outcome.took > publish_app.deadline

    def test_waits_for_its_turn_and_sends_nothing_before(self) -> None:
        story = saga_story(publish_app, started=a_publish_app())

        outcome = story.lock_granted_after(timedelta(seconds=33)).run()

        assert outcome.status == "COMPLETED"
        assert outcome.took == timedelta(seconds=33)
        assert outcome.sent == FORWARDS

    def test_a_turn_that_never_comes_ends_with_the_deadline(self) -> None:
        story = saga_story(publish_app, started=a_publish_app())

        outcome = story.lock_granted_after(timedelta(hours=1)).run()

        assert outcome.status == "COMPENSATED"
        assert outcome.sent == []
        assert outcome.took == publish_app.deadline

    def test_an_answer_of_another_kind_leaves_the_step_in_doubt(self) -> None:
        stranger = ReleaseStaged(
            workspace_id=WORKSPACE,
            app_id=APP,
            release_id=UUID(int=1),
            revision_id=REVISION,
            environment=Environment.STAGING,
            bundle_digest="",
            release_number=1,
            public_files=0,
            public_bytes=0,
        )
        story = saga_story(publish_app, started=a_publish_app())

        outcome = story.when(FreezeRevision, answers=stranger).run()

        assert outcome.status == "COMPENSATED"
        assert outcome.sent[-2:] == [UnfreezeRevision, ReleaseQuota]
