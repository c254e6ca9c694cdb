"""Many worlds, one after the other or in several processes, and what became of them."""

import gc
import logging
import os
import pickle
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any, NoReturn

import structlog

from chassis.testing.simulation.quick import quickly
from chassis.testing.simulation.scenario import Scenario
from chassis.testing.simulation.world import Outcome, World

BATCH = 4
"""Seeds that a worker takes at a time; one by one of the last ones, so that all end together."""


@dataclass
class Totals:
    """The sum of many outcomes. `failed` are those with violations."""

    seeds: int = 0
    sagas: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    failed: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        self.sagas.update(outcome.sagas)
        self.faults.update(kind for _, kind in outcome.fired)
        self.seconds += outcome.seconds
        if outcome.violations:
            self.failed.append(outcome)


def world_of(scenario: Scenario, seed: int, only: frozenset[int] | None = None) -> World:
    """The scenario's kind of world."""
    world: World = (scenario.platform or World)(scenario, seed, only)
    return world


def simulate(scenario: Scenario, seed: int, only: frozenset[int] | None = None) -> Outcome:
    """One seed's world. `only` these faults happen, by number; None: all that the seed chose."""
    with in_silence(), quickly():
        return world_of(scenario, seed, only).run()


def simulate_many(
    scenarios: Callable[[int], Scenario], seeds: Sequence[int], *, jobs: int = 1
) -> Iterator[Outcome]:
    """The outcomes of seeds, as they come. `scenarios` gives the scenario of a seed; with several
    jobs it must be a function of a module."""
    if jobs <= 1:
        for seed in seeds:
            yield simulate(scenarios(seed), seed)
        return
    singly = max(0, len(seeds) - BATCH * jobs)
    batches = [seeds[i : i + BATCH] for i in range(0, singly, BATCH)]
    batches += [seeds[i : i + 1] for i in range(len(batches) * BATCH, len(seeds))]
    context = get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=settle_in) as pool:
        for outcomes in pool.map(_batch, [(scenarios, batch) for batch in batches]):
            yield from outcomes


def shrunk(scenario: Scenario, failed: Outcome, *, tries_max: int = 120) -> Outcome:
    """The same violation with as few faults as can be found: halves, quarters, ... are left out
    as long as it stays (Zeller's ddmin). Returns the outcome of the smallest tape."""
    wanted = {violation.name for violation in failed.violations}
    best, tape = failed, [number for number, _ in failed.fired]
    size, tries = max(1, len(tape) // 2), 0
    while tape and tries < tries_max:
        for start in range(0, len(tape), size):
            rest = tape[:start] + tape[start + size :]
            outcome = simulate(scenario, failed.seed, frozenset(rest))
            tries += 1
            if wanted & {violation.name for violation in outcome.violations}:
                best, tape = outcome, [number for number, _ in outcome.fired]
                break
            if tries >= tries_max:
                break
        else:
            if size == 1:
                break
            size //= 2
        size = max(1, min(size, len(tape) // 2))
    return best


def _batch(work: tuple[Callable[[int], Scenario], Sequence[int]]) -> list[Outcome]:
    """In a child of this process, which ends without cleaning up: dead worlds are full of cycles,
    and to take them apart costs as much as every twentieth saga. The first batch runs here, so
    that the children need not understand each statement again."""
    scenarios, seeds = work
    if not _WARM:
        _WARM.append(True)
        outcomes = [simulate(scenarios(seed), seed) for seed in seeds]
        gc.collect()
        gc.freeze()
        return outcomes
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _tell(writing, lambda: [simulate(scenarios(seed), seed) for seed in seeds])
    os.close(writing)
    with open(reading, "rb") as answer:
        found: list[Outcome] | BaseException | None
        found = pickle.loads(answer.read() or b"N.")  # noqa: S301  # of our own child
    os.waitpid(child, 0)
    if isinstance(found, BaseException):
        raise found
    if found is None:
        raise RuntimeError(f"a process ended without a word, seeds {seeds[0]}-{seeds[-1]}")
    return found


def _tell(writing: int, run: Callable[[], list[Outcome]]) -> NoReturn:
    """What came of it, into the pipe; and that is the end."""
    gc.disable()
    try:
        text = pickle.dumps(run())
    except BaseException as error:
        text = pickle.dumps(RuntimeError(repr(error)))
    with open(writing, "wb") as answer:
        answer.write(text)
    os._exit(0)


_WARM: list[bool] = []
_LEFT_BEHIND = ("ignored GeneratorExit", "was created in a different Context")
"""What Python says of coroutines that are dropped in the middle, as those of the dead are."""


def settle_in() -> None:
    """A worker process: nothing but its result is of interest, also after its last world."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    sys.unraisablehook = _unless_left_behind(sys.unraisablehook)


@contextmanager
def in_silence() -> Iterator[None]:
    """No logs of simulated processes, and no word of coroutines that died with them."""
    before, level = structlog.get_config(), logging.root.manager.disable
    hook = sys.unraisablehook
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    sys.unraisablehook = _unless_left_behind(hook)
    try:
        yield
    finally:
        structlog.configure(**before)
        logging.disable(level)


def _unless_left_behind(hook: Callable[[Any], object]) -> Callable[[Any], object]:
    def quiet(unraisable: Any) -> None:  # sys.UnraisableHookArgs
        if not any(text in str(unraisable.exc_value) for text in _LEFT_BEHIND):
            hook(unraisable)

    return hook if getattr(hook, "quiet", False) else _marked(quiet)


def _marked(hook: Callable[[Any], object]) -> Callable[[Any], object]:
    hook.quiet = True  # type: ignore[attr-defined]  # so that it is wrapped once
    return hook
