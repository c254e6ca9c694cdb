"""The sweep leaves nothing out, and can't be passed by faults that never fired."""

from pathlib import Path

import pytest

from chassis.faults import POINTS, Rule
from chassis.saga import Kind
from tests.chaos.batch import Result, batches
from tests.chaos.book import CASES_MIN, Book, every_case, newest, sample
from tests.chaos.cases import Case
from tests.chaos.drivers import DRIVERS
from tests.chaos.report import markdown

SEED = 1


def points_of(cases: list[Case], saga: str, direction: str, step: str) -> set[str]:
    return {
        case.kills[0].point
        for case in cases
        if len(case.kills) == 1
        and (case.saga, case.direction, case.step) == (saga, direction, step)
    }


def test_every_saga_has_a_driver() -> None:
    assert {saga.name for saga in newest()} <= set(DRIVERS)


def test_every_step_forward_and_back_meets_every_point() -> None:
    cases = every_case(SEED)
    always = POINTS.keys() - {"saga.tick"}
    begun = {"saga.before_persist", "saga.after_persist_before_send"}  # by the caller, not by it

    for saga in newest():
        for number, step in enumerate(saga.steps):
            wanted = always - begun if number in saga.stages[0] else always
            assert points_of(cases, saga.name, "forward", step.name) >= wanted, step.name
            if step.kind == Kind.COMPENSATABLE:
                assert points_of(cases, saga.name, "backward", step.name) >= always, step.name


def test_there_are_enough_cases_and_each_has_a_name_of_its_own() -> None:
    cases = every_case(SEED)

    assert len(cases) >= CASES_MIN
    assert len({case.name for case in cases}) == len(cases)


def test_every_rule_is_one_that_a_service_takes() -> None:
    for case in every_case(SEED):
        for arm in (*case.helpers, *case.kills):
            Rule(point=arm.point, action=arm.action, delay_ms=arm.delay_ms)


def test_a_batch_kills_each_process_for_one_case_alone() -> None:
    cases = every_case(SEED)

    made = batches(cases)

    assert sorted(case.name for batch in made for case in batch) == sorted(c.name for c in cases)
    for batch in made:
        services = [service for case in batch for service in case.services]
        assert len(services) == len(set(services))


def test_a_sample_is_another_one_for_each_seed_and_the_same_for_the_same() -> None:
    cases = every_case(SEED)

    assert sample(cases, 40, 5) == sample(cases, 40, 5)
    assert sample(cases, 40, 5) != sample(cases, 40, 6)
    assert len({case.name for case in sample(cases, 40, 5)}) == 40


class TestTheBook:
    def test_goes_on_where_it_was_interrupted(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BASALT_CACHE", str(tmp_path))
        cases = every_case(SEED)[:3]
        first = Book.open(SEED, cases)
        first.write_down([Result(cases[0].name, "ok", 1.0), Result(cases[1].name, "stuck", 9.0)])

        again = Book.open(SEED, cases, resume=True)
        afresh = Book.open(SEED, cases)

        assert again.left == cases[1:]
        assert afresh.left == cases

    @pytest.mark.parametrize("fate", ["not fired", "stuck", "wrong", "broken"])
    def test_is_not_passed_by_anything_but_ok(self, fate: str) -> None:
        cases = every_case(SEED)[:1]
        book = Book(SEED, cases)

        book.write_down([Result(cases[0].name, fate, 1.0, "because")])

        assert not book.passed
        assert "because" in markdown(book)

    def test_is_passed_when_all_are_ok_and_nothing_is_violated(self) -> None:
        cases = every_case(SEED)[:1]
        book = Book(SEED, cases)
        book.write_down([Result(cases[0].name, "ok", 1.0)])

        before = book.passed
        book.violations.append("money is gone")

        assert (before, book.passed) == (True, False)
        assert "money is gone" in markdown(book)
