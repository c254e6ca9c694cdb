"""What an operator's order writes into the history, announces, and refuses with."""

from dataclasses import replace

import pytest

from chassis.saga.core import (
    SAGA_CANCELLED,
    begin,
    decide,
)
from chassis.saga.ids import FORWARD, command_id
from chassis.saga.inputs import (
    Fact,
    Happened,
    Order,
    Started,
    Verb,
)
from chassis.saga.state import SagaState, Status
from chassis.testing.saga import SAGA_ID, START, reply_to
from sagas.change_plan import change_plan
from tests.chassis.saga.moves import (
    LATER,
    REFUSAL,
    WORKSPACE,
    after,
    begun,
    notes,
    order,
    paused,
    undoing,
)
from tests.chassis.saga.wide import wide


class TestOrders:
    @pytest.mark.parametrize(
        ("verb", "state", "noted", "facts"),
        [
            (
                Verb.RETRY,
                begun(),
                ("retried", "ReserveQuota, FreezeRevision", "by ann: the reason"),
                (),
            ),
            (
                Verb.COMPENSATE,
                begun(),
                ("cancelled", "ReserveQuota", "by ann: the reason"),
                (Fact.COMPENSATING,),
            ),
            (
                Verb.COMPENSATE,
                begun(locked=False),
                ("cancelled", "", "by ann: the reason"),
                (Fact.COMPENSATED,),
            ),
            (
                Verb.PAUSE,
                begun(),
                ("paused", "ReserveQuota, FreezeRevision", "by ann: the reason"),
                (Fact.PAUSED,),
            ),
            (
                Verb.PAUSE,
                begun(locked=False),
                ("paused", "", "by ann: the reason"),
                (Fact.PAUSED,),
            ),
            (Verb.RESUME, paused(), ("resumed", "", "by ann: the reason"), (Fact.RESUMED,)),
            (
                Verb.ABANDON,
                begun(),
                ("abandoned", "ReserveQuota, FreezeRevision", "by ann: the reason"),
                (Fact.ABANDONED,),
            ),
        ],
    )
    def test_an_order_is_noted_with_its_steps_who_and_why_and_announced(
        self, verb: Verb, state: SagaState, noted: tuple[str, str, str], facts: tuple[Fact, ...]
    ) -> None:
        decision = order(state, verb)

        assert notes(decision)[0] == noted
        assert decision.facts == facts
        assert decision.state.facts == state.facts + len(facts)

    @pytest.mark.parametrize(
        ("verb", "state", "why"),
        [
            (Verb.RETRY, paused(), "it is paused: resume it"),
            (Verb.RETRY, begun(locked=False), "it waits and has sent nothing"),
            (Verb.SKIP, begun(locked=False), "it waits and has sent nothing"),
            (
                Verb.SKIP,
                begun(),
                "step (none) is not under way: ReserveQuota, FreezeRevision",
            ),
            (Verb.COMPENSATE, undoing(), "it is being undone"),
            (Verb.COMPENSATE, after(3), "it has passed its pivot"),
            (Verb.PAUSE, paused(), "it is paused"),
            (Verb.PAUSE, begun(approval=True), "it waits for approval"),
            (Verb.RESUME, begun(), "it is not paused"),
        ],
    )
    def test_what_is_not_possible_says_why_and_changes_nothing(
        self, verb: Verb, state: SagaState, why: str
    ) -> None:
        decision = order(state, verb)

        assert decision.notes[0].happened == Happened.IGNORED
        assert decision.notes[0].reason == f"{verb} by ann: {why}"
        unversioned = replace(state, version=decision.state.version, updated_at=LATER)
        assert decision.state == unversioned
        assert (decision.commands, decision.facts) == ((), ())

    def test_a_step_that_is_not_under_way_is_named(self) -> None:
        decision = order(begun(), Verb.SKIP, "StageRelease")

        assert decision.notes[0].reason == (
            "skip by ann: step StageRelease is not under way: ReserveQuota, FreezeRevision"
        )

    def test_what_was_done_by_hand_is_named(self) -> None:
        skipped = order(after(4), Verb.SKIP, "CommitQuota")

        assert notes(skipped) == [("step_skipped", "CommitQuota", "by ann: the reason")]

    def test_all_fields_that_later_steps_miss_are_named(self) -> None:
        given = {"workspace_id": str(WORKSPACE), "plan": "team"}
        state = begin(change_plan, Started(SAGA_ID, START, given)).state
        by_hand = Order(LATER, Verb.SKIP, "ann", "", "OpenPlanChange")

        assert decide(change_plan, state, by_hand).notes[0].reason == (
            "skip by ann: later steps need apps_max, members_max of its answer"
        )

    def test_an_order_to_undo_names_who_wanted_it_as_the_error(self) -> None:
        state = undoing()

        assert (state.error_type, state.error) == (SAGA_CANCELLED, {"step": "ReserveQuota"})

    def test_a_retry_renews_patience_and_keeps_the_round(self) -> None:
        behind = after(4)
        refused = reply_to(command_id(SAGA_ID, 4, FORWARD), REFUSAL, LATER)
        state = decide(wide, behind, refused).state
        assert (state.status, state.steps[4].rounds) == (Status.NEEDS_ATTENTION, 1)

        again = order(state, Verb.RETRY)

        assert again.state.status == Status.RUNNING
        assert again.commands[0].command_id == command_id(SAGA_ID, 4, FORWARD, 1)
        assert (again.state.steps[4].attempts, again.state.steps[4].rounds) == (1, 1)
