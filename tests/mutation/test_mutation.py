"""The hunt for mutants finds what it should, on planted ones."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutation.hunt import Fate, Verdict
from tests.mutation.ledger import Kept, explained, judge
from tests.mutation.mutant import ROOT, Mutant, function_of, named
from tests.mutation.planted import MODULE, planted
from tests.mutation.targets import AREAS, Area

AREA = Area("planted", (MODULE,), ())
HERE = "tests/mutation/test_mutation.py::test"


def a_mutant(name: str = "f: a -> b") -> Mutant:
    return Mutant(MODULE, "f", f"{MODULE}:{name}", "def f(): a", str)


def fates(killed: int, *survivors: str) -> list[Verdict]:
    dead = [Verdict(a_mutant(f"f: {n}"), Fate.KILLED, HERE) for n in range(killed)]
    return dead + [Verdict(a_mutant(name), Fate.SURVIVED) for name in survivors]


class TestHunt:
    def test_planted_mutants_are_killed_and_planted_survivors_named(self) -> None:
        command = [sys.executable, "-m", "tests.mutation.planted"]

        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )

        told = sorted(
            line
            for line in done.stdout.splitlines()
            if line.split(" ")[0] in {fate.value for fate in Fate}
        )
        assert told == [
            "killed Basket.first: self._prices[0] -> self._prices[1]",
            "killed Basket.is_empty: return not self._prices -> return bool(self._prices)",
            "killed Basket.reduced: percent: int = 10 -> percent: int = 11",
            "killed Basket.total: sum(self._prices) -> max(self._prices)",
            "killed fee: 0 if total -> 1 if total",
            "survived fee: total > 50 -> total >= 50",
            "survived never_called: return 1 -> return 2",
            "timeout waits: turns -= 1 -> turns -= 0",
        ], done.stdout + done.stderr

    def test_every_function_that_is_mutated_can_be_found(self) -> None:
        module = sys.modules[MODULE]

        names = [function_of(module, mutant.function).__qualname__ for mutant in planted()]

        assert names == [mutant.function for mutant in planted()]


class TestNames:
    def test_a_mutant_is_named_by_what_it_changes_and_numbered_when_that_is_not_enough(
        self,
    ) -> None:
        seen: dict[str, int] = {}
        before = "def f():\n    a = 1\n    return a"
        after = "def f():\n    a = 2\n    return a"

        names = [named("m", "f", before, after, seen) for _ in range(2)]

        assert names == ["m:f: a = 1 -> a = 2", "m:f: a = 1 -> a = 2 #2"]


class TestJudgement:
    def test_a_survivor_without_an_explanation_is_a_problem(self) -> None:
        judged = judge(fates(99, "f: x -> y"), [AREA], {})

        assert judged.problems == [f"survived: {MODULE}:f: x -> y"]

    def test_an_explained_survivor_is_none(self) -> None:
        judged = judge(fates(99, "f: x -> y"), [AREA], {f"{MODULE}:f: x -> y": "because"})

        assert judged.problems == []
        assert judged.lines[-1].split() == ["PLANTED", "100", "99", "1", "99.0%"]

    def test_an_explanation_without_a_survivor_is_a_problem(self) -> None:
        why = {f"{MODULE}:f: gone -> away": "because", "another.module:g: a -> b": "not judged"}

        judged = judge(fates(1), [AREA], why)

        assert judged.problems == [f"explained, but no survivor: {MODULE}:f: gone -> away"]

    def test_too_many_survivors_are_a_problem_even_if_explained(self) -> None:
        names = [f"f: x -> {n}" for n in range(6)]

        judged = judge(fates(94, *names), [AREA], {f"{MODULE}:{name}": "so" for name in names})

        assert judged.problems == ["planted: 94.0% killed, 95% are wanted"]


class TestKept:
    def test_a_kill_is_kept_until_its_function_or_its_test_changes(self, tmp_path: Path) -> None:
        file, test = tmp_path / "kept.jsonl", tmp_path / "test_it.py"
        test.write_text("before")
        mutant = a_mutant()
        Kept(file).add(Verdict(mutant, Fate.KILLED, f"{test}::test"))

        known = Kept(file).verdict(mutant)
        other = Kept(file).verdict(replace(mutant, original="def f(): b"))
        test.write_text("after")
        gone = Kept(file).verdict(mutant)

        assert known is not None
        assert (other, gone) == (None, None)

    def test_a_survivor_is_tried_again(self, tmp_path: Path) -> None:
        file = tmp_path / "kept.jsonl"
        Kept(file).add(Verdict(a_mutant(), Fate.SURVIVED))

        assert Kept(file).verdict(a_mutant()) is None


def test_what_is_mutated_and_explained_exists() -> None:
    modules = [module for area in AREAS for module in area.modules]

    assert all((ROOT / module.replace(".", "/")).with_suffix(".py").exists() for module in modules)
    assert all((ROOT / test).exists() for area in AREAS for test in area.tests)
    assert {name.split(":")[0] for name in explained()} <= set(modules)
    assert all(len(why) > 20 for why in explained().values())


def test_the_library_makes_mutants_of_properties_and_not_of_texts() -> None:
    pytest.importorskip("mutmut", reason="make mutants ALL=1 installs it, and runs this test first")
    from tests.mutation.breed import breed

    text = (
        'class A:\n    @property\n    def b(self) -> int:\n        """Two\n        lines."""\n'
        "        assert self, 'text'\n"
        "        log.info('text', count=1)\n"
        "        return 1 + 2\n"
    )

    mutants = list(breed("m", text))

    assert all(mutant.source() != text for mutant in mutants)
    assert {mutant.name for mutant in mutants} == {
        "m:A.b: return 1 + 2 -> return 2 + 2",
        "m:A.b: return 1 + 2 -> return 1 + 3",
        "m:A.b: return 1 + 2 -> return 1 - 2",
    }
