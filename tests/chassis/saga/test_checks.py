"""Types that flow from the start through answers into commands, and definitions at their edges."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import create_model

from chassis.saga import (
    PATIENT,
    QUICK,
    UNTIL_DONE,
    Approval,
    DefinitionRefused,
    Definitions,
    Kind,
    Saga,
    Step,
    compensatable,
    parallel,
    pivot,
    retriable,
)
from contracts.base import Address, Command, Event, Message
from contracts.billing.account import ReleaseQuota, ReserveQuota
from contracts.orchestrator.publishing import PublishApp
from contracts.studio.app import TagRevision
from sagas import SAGAS
from sagas.onboard_workspace import onboard_workspace
from sagas.publish_app import publish_app
from tests.chassis.saga.wide import FREEZE, RESERVE, STAGE, SWITCH, AskFirst


class Counted(Event):
    """An answer that tells nothing new."""

    app_id: UUID


class Nameless(Event):
    """Outside contracts/."""


class Homeless(Command[Counted]):
    """Nobody owns it."""

    app_id: UUID


class Mute(Command):  # type: ignore[type-arg]  # it does not say what it answers: the case here
    app_id: UUID


Counted.address = Address("studio", "app", "Counted", 1, "app_id")
Mute.address = Address("studio", "app", "Mute", 1, "app_id")


def a_command(name: str, **fields: Any) -> type[Message]:  # fields as create_model takes them
    """A command of studio with these fields besides app_id."""
    made: Any = create_model(name, __base__=Command[Counted], app_id=(UUID, ...), **fields)
    made.address = Address("studio", "app", name, 1, "app_id")
    found: type[Message] = made
    return found


def a_saga(*steps: Step, **changes: Any) -> Saga:  # any field of a saga
    fields: dict[str, Any] = {
        "name": "publish_app",
        "version": 1,
        "starts_on": PublishApp,
        "mints": ("reservation_id", "release_id"),
        "lock": "app_id",
        "deadline": timedelta(minutes=30),
        "steps": steps,
    }
    return Saga(**{**fields, **changes})


def refusal_of(*steps: Step, **changes: Any) -> str:  # any field of a saga
    with pytest.raises(DefinitionRefused) as refused:
        a_saga(*steps, **changes)
    return str(refused.value)


def flows(given: Any, wanted: Any) -> str:  # two annotations
    """The refusal of a saga whose start gives `amount` as one type to a step of another."""
    start = a_command("Begin", amount=(given, ...))
    step = retriable(a_command("Take", amount=(wanted, ...)))
    try:
        a_saga(step, starts_on=start, mints=(), lock=())
    except DefinitionRefused as refused:
        return str(refused)
    return ""


class TestTypes:
    @pytest.mark.parametrize(
        ("given", "wanted"),
        [
            (int, int),
            (bool, int),
            (int, int | None),
            (int | None, int | None),
            (int | None, int | str | None),
            (bool | None, None | int),
        ],
    )
    def test_a_value_of_a_narrower_type_fits(self, given: Any, wanted: Any) -> None:
        assert flows(given, wanted) == ""

    @pytest.mark.parametrize(
        ("given", "wanted", "line"),
        [
            (str, int, "Take has amount as int, known as str"),
            (int, bool, "Take has amount as bool, known as int"),
            (int | None, int, "Take has amount as int, known as int | None"),
            (str, int | None, "Take has amount as int | None, known as str"),
            (int | str, int | None, "Take has amount as int | None, known as int | str"),
            (list[int], list[str], "Take has amount as list[str], known as list[int]"),
            (type(None), int, "Take has amount as int, known as None"),
        ],
    )
    def test_one_that_might_not_fit_is_refused_with_both_types(
        self, given: Any, wanted: Any, line: str
    ) -> None:
        told = flows(given, wanted)

        assert told == f"publish_app v1, step 1 Take: {line}: equal names mean equal types"

    def test_a_compensation_that_takes_what_nobody_gives_is_refused(self) -> None:
        undo = a_command("UndoCount", page=(int, ...))
        step = compensatable(a_command("Count"), compensation=undo, retry=QUICK)

        assert refusal_of(step) == (
            "publish_app v1, step 1 Count: field page of UndoCount is unknown at that point"
        )


class TestShapes:
    def test_a_start_outside_of_contracts_is_refused(self) -> None:
        assert refusal_of(RESERVE, starts_on=Homeless, lock=()) == (
            "publish_app v1, start Homeless: a starting command lives in contracts/"
        )

    def test_a_command_that_answers_nothing_is_refused(self) -> None:
        assert refusal_of(retriable(Mute)) == (
            "publish_app v1, step 1 Mute: Mute does not say what it answers: write Command[Answer]"
        )

    def test_a_group_behind_single_steps_is_looked_at_too(self) -> None:
        assert refusal_of(RESERVE, *parallel(FREEZE, SWITCH)) == (
            "publish_app v1, step 2 FreezeRevision: a pivot has no step beside it"
        )

    def test_the_longest_of_a_group_counts_wherever_it_stands(self) -> None:
        slow = replace(RESERVE, retry=PATIENT)

        told = refusal_of(*parallel(slow, FREEZE), deadline=timedelta(minutes=5))

        assert told.startswith("publish_app v1, step 1 ReserveQuota: attempts x timeout")

    def test_an_approval_hangs_on_a_bool_and_has_time(self) -> None:
        start = {"starts_on": AskFirst}
        day = Approval("approval_required", timedelta(days=1))

        assert a_saga(RESERVE, approval=day, **start).approval == day
        assert refusal_of(RESERVE, approval=replace(day, within=timedelta()), **start) == (
            "publish_app v1, approval approval_required: it needs time"
        )


class TestDefinition:
    def test_steps_are_what_they_are_called(self) -> None:
        undoable = compensatable(ReserveQuota, compensation=ReleaseQuota, retry=PATIENT)

        assert undoable == Step(Kind.COMPENSATABLE, ReserveQuota, ReleaseQuota, PATIENT, False)
        assert pivot(TagRevision, retry=QUICK) == Step(Kind.PIVOT, TagRevision, None, QUICK)
        assert retriable(TagRevision) == Step(Kind.RETRIABLE, TagRevision, None, UNTIL_DONE)

    def test_all_but_the_first_of_a_group_are_beside_another(self) -> None:
        assert [step.beside for step in parallel(RESERVE, FREEZE, STAGE)] == [False, True, True]
        assert parallel() == ()

    def test_locks_are_taken_in_sorted_order(self) -> None:
        saga = a_saga(RESERVE, lock=("revision_id", "app_id"))

        assert saga.lock_fields == ("app_id", "revision_id")
        assert a_saga(RESERVE).lock_fields == ("app_id",)

    def test_several_sagas_have_a_start_each(self) -> None:
        definitions = Definitions((publish_app, onboard_workspace))

        assert definitions.started_by(publish_app.starts_on) is publish_app
        assert definitions.started_by(onboard_workspace.starts_on) is onboard_workspace
        assert definitions.starts() == (publish_app.starts_on, onboard_workspace.starts_on)
        assert set(definitions) == {
            (saga.name, saga.version) for saga in (publish_app, onboard_workspace)
        }

    def test_the_released_sagas_load(self) -> None:
        assert len(set(Definitions(SAGAS))) == len(SAGAS)
