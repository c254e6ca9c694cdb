"""Steps beside each other: sent together, awaited together, undone together."""

from datetime import timedelta
from uuid import UUID

import pytest

from chassis.saga.core import decide
from chassis.saga.ids import FORWARD, command_id
from chassis.saga.inputs import Happened
from chassis.testing.saga import SAGA_ID, SILENCE, Outcome, Story, reply_to, saga_story, success_of
from contracts.billing.account import CommitQuota, QuotaExceeded, ReleaseQuota, ReserveQuota
from contracts.delivery.environment import Environment
from contracts.delivery.release import StageRelease, SwitchLivePointer
from contracts.studio.app import FreezeRevision, TagRevision, UnfreezeRevision
from tests.chassis.saga.wide import AskFirst, wide

WORKSPACE = UUID(int=7)
REFUSAL = QuotaExceeded(workspace_id=WORKSPACE, units_left=0)


def a_start() -> AskFirst:
    return AskFirst(
        workspace_id=WORKSPACE,
        app_id=UUID(int=8),
        revision_id=UUID(int=9),
        environment=Environment.STAGING,
    )


def story() -> Story:
    return saga_story(wide, started=a_start())


def names(outcome: Outcome) -> list[str]:
    return [command.__name__ for command in outcome.sent]


def test_a_group_is_sent_at_once_and_the_next_step_waits_for_all_of_it() -> None:
    outcome = story().run()

    first, second, third, *_ = outcome.decisions
    assert [send.command for send in first.commands] == [ReserveQuota, FreezeRevision]
    assert second.commands == ()
    assert [send.command for send in third.commands] == [StageRelease]
    assert outcome.status == "COMPLETED"
    assert outcome.facts.count("progressed") == len(wide.steps) - 1


@pytest.mark.parametrize("late", [ReserveQuota, FreezeRevision])
def test_only_the_silent_one_of_a_group_is_sent_again(late: type[ReserveQuota]) -> None:
    outcome = story().when(late, answers=SILENCE).run()

    assert outcome.sent.count(late) == 2
    assert len(outcome.sent) == len(wide.steps) + 1
    assert outcome.status == "COMPLETED"


def test_a_refusal_undoes_its_neighbour_and_not_itself() -> None:
    outcome = story().when(ReserveQuota, answers=REFUSAL).run()

    assert outcome.status == "COMPENSATED"
    assert names(outcome) == ["ReserveQuota", "FreezeRevision", "UnfreezeRevision"]
    assert [step.mark for step in outcome.state.steps[:2]] == ["rejected", "undone"]


def test_a_neighbour_in_doubt_is_undone_too_and_its_late_answer_is_ignored() -> None:
    tale = story().when(ReserveQuota, answers=REFUSAL)
    outcome = tale.late_answer(FreezeRevision, after=UnfreezeRevision).run()

    assert UnfreezeRevision in outcome.sent
    assert "late: answer to FreezeRevision, which is being undone" in outcome.ignored


def test_a_refused_pivot_undoes_the_group_together() -> None:
    outcome = story().when(SwitchLivePointer, answers=REFUSAL).run()

    undoing = next(
        d for d in outcome.decisions if len(d.commands) == 2 and d.commands[0].forward_id
    )
    assert [send.command for send in undoing.commands] == [ReleaseQuota, UnfreezeRevision]
    assert outcome.status == "COMPENSATED"


def test_retriable_steps_beside_each_other_are_sent_until_both_are_done() -> None:
    tale = story().when(CommitQuota, answers=SILENCE, times=8).when(TagRevision, answers=REFUSAL)
    outcome = tale.run()

    assert outcome.status == "COMPLETED"
    assert outcome.sent.count(CommitQuota) == 9
    assert outcome.sent.count(TagRevision) == 2
    assert outcome.facts.count("needs_attention") >= 1


def test_the_wake_up_is_that_of_the_most_impatient_of_the_group() -> None:
    state = story().run(until=timedelta()).decisions[0].state

    dues = [step.due for step in state.steps if step.due]
    assert len(dues) == 2
    assert state.wake_at == min(dues)


def test_an_answer_that_comes_twice_is_ignored_while_its_neighbour_is_awaited() -> None:
    begun = story().run(until=timedelta()).decisions[0].state
    answer = reply_to(
        command_id(SAGA_ID, 0, FORWARD), success_of(ReserveQuota, begun.data), begun.started_at
    )

    once = decide(wide, begun, answer)
    twice = decide(wide, once.state, answer)

    assert twice.notes[0].happened == Happened.IGNORED
    assert twice.notes[0].reason == "not awaited: answer to the command of ReserveQuota"
    assert twice.state.wake_at == once.state.wake_at
