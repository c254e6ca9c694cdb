"""A saga that could not always finish or be undone does not load, and says why in one line."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis.saga import (
    QUICK,
    Approval,
    DefinitionRefused,
    Definitions,
    Saga,
    Step,
    compensatable,
    parallel,
    retriable,
)
from contracts.base import REGISTRY, Address, Command, Event
from contracts.billing.account import ReleaseQuota
from contracts.orchestrator.onboarding import OnboardWorkspace
from contracts.orchestrator.publishing import PublishApp
from contracts.studio.app import FreezeRevision, TagRevision, UnfreezeRevision
from sagas.publish_app import publish_app_v1 as publish_app
from tests.chassis.saga.wide import FREEZE, RESERVE, STAGE, SWITCH


class Homeless(Command[Event]):
    """Outside contracts/: nobody owns it."""

    app_id: UUID


class Numbered(Event):
    """Its app_id is a number."""

    app_id: int


class Count(Command[Numbered]):
    app_id: UUID


class UndoByBundle(Command[Numbered]):
    app_id: UUID
    bundle_digest: str


class FilesCounted(Event):
    """Answers `files`, as FreezeRevision does."""

    app_id: UUID
    files: int


class CountFiles(Command[FilesCounted]):
    app_id: UUID


Numbered.address = Address("studio", "app", "Numbered", 1, "app_id")
Count.address = Address("studio", "app", "Count", 1, "app_id")
FilesCounted.address = Address("studio", "app", "FilesCounted", 1, "app_id")
CountFiles.address = Address("studio", "app", "CountFiles", 1, "app_id")
THAW = compensatable(CountFiles, compensation=UnfreezeRevision, retry=QUICK)
UndoByBundle.address = Address("studio", "app", "UndoByBundle", 1, "app_id")


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


class TestSaga:
    @pytest.mark.parametrize(
        ("steps", "line"),
        [
            (
                (RESERVE, STAGE, SWITCH),
                "publish_app v1, step 2 StageRelease: field bundle_digest of StageRelease is "
                "unknown at that point",
            ),
            (
                (RESERVE, SWITCH, FREEZE),
                "publish_app v1, step 3 FreezeRevision: a compensatable step cannot come after "
                "the pivot",
            ),
            (
                (RESERVE, SWITCH, SWITCH),
                "publish_app v1, step 3 SwitchLivePointer: only retriable steps come after the "
                "pivot",
            ),
            (
                (RESERVE, retriable(Homeless)),
                "publish_app v1, step 2 Homeless: Homeless has no owner: a command lives in "
                "contracts/<owner>/",
            ),
            (
                (compensatable(FreezeRevision, compensation=ReleaseQuota, retry=QUICK), SWITCH),
                "publish_app v1, step 1 FreezeRevision: ReleaseQuota has another partition key "
                "(billing.workspace_id) than its forward (studio.app_id): the two could overtake "
                "each other",
            ),
            (
                (compensatable(FreezeRevision, compensation=UndoByBundle, retry=QUICK), SWITCH),
                "publish_app v1, step 1 FreezeRevision: compensation UndoByBundle needs "
                "bundle_digest from a reply that may be unanswered",
            ),
            (
                (retriable(Count),),
                "publish_app v1, step 1 Count: its answer has app_id as int, known as UUID: "
                "equal names mean equal types",
            ),
            ((), "publish_app v1, no step: a saga has at least one step"),
            (
                (*parallel(FREEZE, STAGE), SWITCH),
                "publish_app v1, step 2 StageRelease: field bundle_digest of StageRelease is "
                "unknown at that point",
            ),
            (
                parallel(FREEZE, SWITCH),
                "publish_app v1, step 1 FreezeRevision: a pivot has no step beside it",
            ),
            (
                parallel(RESERVE, retriable(TagRevision)),
                "publish_app v1, step 1 ReserveQuota: steps beside each other are all "
                "compensatable or all retriable",
            ),
            (
                parallel(RESERVE, RESERVE),
                "publish_app v1, step 1 ReserveQuota: steps beside each other have different "
                "commands",
            ),
            (
                parallel(FREEZE, THAW),
                "publish_app v1, step 1 FreezeRevision: FreezeRevision and CountFiles both answer "
                "files: which one counts?",
            ),
            (
                (replace(RESERVE, beside=True), SWITCH),
                "publish_app v1, step 1 ReserveQuota: it has no step before it to run beside",
            ),
            (
                (RESERVE, parallel(FREEZE, RESERVE)),
                "publish_app v1, step 2: tuple is no step (`*parallel(...)` unpacks)",
            ),
        ],
    )
    def test_refuses_a_wrong_definition_in_one_line(
        self, steps: tuple[Step, ...], line: str
    ) -> None:
        with pytest.raises(DefinitionRefused) as refusal:
            a_saga(*steps)

        assert str(refusal.value) == line

    def test_refuses_retries_that_do_not_fit_the_deadline(self) -> None:
        with pytest.raises(DefinitionRefused) as refusal:
            a_saga(RESERVE, FREEZE, STAGE, SWITCH, deadline=timedelta(minutes=5))

        assert str(refusal.value) == (
            "publish_app v1, step 3 StageRelease: attempts x timeout up to here are 972 s and do "
            "not fit the deadline of 300 s"
        )

    def test_counts_a_group_as_long_as_its_longest_step(self) -> None:
        longest = RESERVE.retry.longest + SWITCH.retry.longest

        assert a_saga(*parallel(RESERVE, FREEZE), deadline=RESERVE.retry.longest)
        with pytest.raises(DefinitionRefused, match="do not fit the deadline"):
            a_saga(*parallel(RESERVE, FREEZE), retriable(TagRevision), deadline=longest)

    @pytest.mark.parametrize("when", ["revision_id", "nothing"])
    def test_refuses_an_approval_that_hangs_on_no_bool_of_the_start(self, when: str) -> None:
        with pytest.raises(DefinitionRefused, match=f"approval {when}: PublishApp has no such"):
            a_saga(RESERVE, SWITCH, approval=Approval(when, timedelta(days=1)))

    def test_refuses_a_lock_on_an_unknown_field(self) -> None:
        with pytest.raises(DefinitionRefused, match="field page_id is unknown at the start"):
            a_saga(RESERVE, SWITCH, lock="page_id")

    def test_refuses_to_mint_what_the_start_gives(self) -> None:
        with pytest.raises(DefinitionRefused, match="mint app_id: the start already gives it"):
            a_saga(RESERVE, SWITCH, mints=("reservation_id", "release_id", "app_id"))

    def test_needs_no_pivot(self) -> None:
        saga = a_saga(RESERVE, FREEZE)

        assert saga.point_of_no_return == 2

    def test_commits_with_the_first_step_that_cannot_be_undone(self) -> None:
        saga = a_saga(RESERVE, FREEZE, retriable(TagRevision))

        assert saga.point_of_no_return == 2


class TestDefinitions:
    def test_starts_the_newest_version_and_keeps_the_old_ones(self) -> None:
        newer = a_saga(RESERVE, FREEZE, version=2)

        definitions = Definitions((publish_app, newer))

        assert definitions.started_by(PublishApp) is newer
        assert definitions.get("publish_app", 1) is publish_app
        assert ("publish_app", 3) not in definitions

    def test_refuses_two_of_one_version(self) -> None:
        with pytest.raises(DefinitionRefused, match="publish_app v1: there are two of it"):
            Definitions((publish_app, a_saga(RESERVE, FREEZE)))

    def test_refuses_two_sagas_of_one_start(self) -> None:
        with pytest.raises(DefinitionRefused, match="PublishApp starts publish_app"):
            Definitions((publish_app, a_saga(RESERVE, FREEZE, name="another")))

    def test_does_not_know_what_starts_nothing(self) -> None:
        with pytest.raises(KeyError):
            Definitions((publish_app,)).started_by(OnboardWorkspace)

    def test_knows_every_refusal_of_the_participants(self) -> None:
        Definitions((publish_app,))

        assert "studio.RevisionUnknown.v1" in REGISTRY
        assert "delivery.ReleaseNotSwitchable.v1" in REGISTRY
