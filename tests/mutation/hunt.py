"""Hunts mutants inside one pytest session: collected once, forked for each mutant.

First every test runs once without a mutant, to see that it passes, how long it takes and which
functions it calls. Then each mutant meets the tests that call its function, the quickest first,
until one fails. A mutant that takes many times the time of its tests is killed too.
"""

import json
import os
import resource
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from cProfile import Profile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

from tests.mutation.mutant import ROOT, Caches, Mutant, Unfit

MEMORY_MAX = 4 << 30
CPU_S_MIN, WAIT_S_MIN = 2, 8
"""What a test has at least, in seconds of work and of waiting, however quick it is."""


class Fate(StrEnum):
    KILLED = "killed"
    TIMEOUT = "timeout"
    SURVIVED = "survived"


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant; `by` names the test that noticed."""

    mutant: Mutant
    fate: Fate
    by: str = ""


@dataclass(frozen=True)
class Seen:
    """One test without a mutant: did it pass, its CPU seconds, the functions that it called."""

    passed: bool
    seconds: float
    called: frozenset[tuple[str, str]]


class Hunter:
    """A pytest plugin that takes the place of pytest's own loop over the tests."""

    def __init__(
        self, mutants: Iterable[Mutant], tell: Callable[[Verdict], None], jobs: int = 2
    ) -> None:
        self._mutants = list(mutants)
        self._tell = tell
        self._jobs = jobs
        self.broken: list[str] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        settings.register_profile(
            "mutants",
            derandomize=True,
            database=None,
            phases=(Phase.explicit, Phase.generate),
        )
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            self.broken.append("the tests cannot be collected")
            return True
        self._caches = Caches()
        files = {str(ROOT / mutant.file) for mutant in self._mutants}
        seen = dict(zip(session.items, self._look(session.items, files), strict=True))
        self.broken = [item.nodeid for item, look in seen.items() if not look.passed]
        if not self.broken:
            self._hunt(seen)
        return True

    def _look(self, items: list[pytest.Item], files: set[str]) -> list[Seen]:
        """In a child: what tests leave behind stays there."""

        def look(tell: Callable[[object], None]) -> None:
            for item in items:
                self._caches.forget()
                tell(_seen(item, files))

        _, told = _wait_for(*_forked(look))
        return [
            Seen(passed, seconds, frozenset((file, function) for file, function in called))
            for passed, seconds, called in told
        ]

    def _hunt(self, seen: dict[pytest.Item, Seen]) -> None:
        waiting = iter(self._mutants)
        running: dict[int, tuple[Mutant, int]] = {}
        while True:
            for mutant in waiting:
                judges = self._judges(mutant, seen)
                if not judges:
                    self._tell(Verdict(mutant, Fate.SURVIVED, "no test calls it"))
                    continue
                pid, pipe = _forked(_trial(mutant, judges, self._caches))
                running[pid] = (mutant, pipe)
                if len(running) >= self._jobs:
                    break
            if not running:
                return
            pid, status = os.wait()
            mutant, pipe = running.pop(pid)
            self._tell(_verdict(mutant, status, _told(pipe)))

    def _judges(self, mutant: Mutant, seen: dict[pytest.Item, Seen]) -> list[tuple[Any, float]]:
        place = (str(ROOT / mutant.file), mutant.function)
        found = [(item, look.seconds) for item, look in seen.items() if place in look.called]
        return sorted(found, key=lambda pair: pair[1])


def _seen(item: pytest.Item, files: set[str]) -> tuple[bool, float, list[tuple[str, str]]]:
    began = time.process_time()
    profile = Profile(builtins=False)
    profile.enable()
    try:
        reports = runtestprotocol(item, log=False, nextitem=None)
    finally:
        profile.disable()
    codes = (entry.code for entry in profile.getstats() if not isinstance(entry.code, str))
    called = {
        (code.co_filename, code.co_qualname.split(".<locals>")[0])
        for code in codes
        if code.co_filename in files
    }
    passed = all(report.passed or report.skipped for report in reports)
    return passed, time.process_time() - began, sorted(called)


def _trial(mutant: Mutant, judges: list[tuple[Any, float]], caches: Caches) -> Callable[..., None]:
    def trial(tell: Callable[[object], None]) -> None:
        _arm(0)
        try:
            mutant.take_place()
            caches.forget()
        except Unfit:
            raise
        except Exception as error:
            tell(f"it cannot be loaded: {type(error).__name__}")
            return
        for item, seconds in judges:
            _arm(seconds)
            if any(r.failed for r in runtestprotocol(item, log=False, nextitem=None)):
                tell(item.nodeid)
                return

    return trial


def _arm(seconds: float) -> None:
    """The process ends unless a test that takes `seconds` is over in many times that."""
    signal.setitimer(signal.ITIMER_PROF, CPU_S_MIN + 5 * seconds)
    signal.setitimer(signal.ITIMER_REAL, WAIT_S_MIN + 20 * seconds)


def _verdict(mutant: Mutant, status: int, told: list[Any]) -> Verdict:
    if os.WIFSIGNALED(status):
        return Verdict(mutant, Fate.TIMEOUT, signal.Signals(os.WTERMSIG(status)).name)
    if os.WEXITSTATUS(status):
        raise RuntimeError(f"{mutant.name}: the hunt itself failed: {told}")
    return Verdict(mutant, Fate.KILLED, told[0]) if told else Verdict(mutant, Fate.SURVIVED)


def _forked(work: Callable[[Callable[[object], None]], None]) -> tuple[int, int]:
    """A child that does `work` in silence; its process id, and the end of the pipe that it tells
    into, as JSON, one a line."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    os.close(reading)
    code = 1
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))

    told = os.fdopen(writing, "w", buffering=1)

    def tell(what: object) -> None:
        told.write(json.dumps(what) + "\n")

    try:
        work(tell)
        code = 0
    except BaseException as error:
        tell(repr(error))
    finally:
        os._exit(code)


def _told(pipe: int) -> list[Any]:
    with os.fdopen(pipe) as lines:
        return [json.loads(line) for line in lines]


def _wait_for(pid: int, pipe: int) -> tuple[int, list[Any]]:
    told = _told(pipe)
    _, status = os.waitpid(pid, 0)
    if status:
        raise RuntimeError(f"the tests cannot be run: {told[-1:]}")
    return status, told


def collect(tests: Iterable[str]) -> Iterator[str]:
    """Arguments of pytest that collect tests which need no server, without side effects."""
    yield from ("-q", "-s", "-p", "no:cacheprovider", "-p", "no:xdist")
    yield from ("-m", "not servers", "--rootdir", str(ROOT))
    yield from (str(ROOT / Path(test)) for test in tests)
