"""The referee: free names of JavaScript by acorn and eslint-scope, on node. For tests alone."""

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Timer

from infra.local.places import cache_folder

PACKAGES = {"acorn": "8.19.0", "eslint-scope": "9.1.2", "esrecurse": "4.3.0", "estraverse": "5.3.0"}
"""What the referee is made of; their versions stand here and nowhere else."""

INSTALL_S, BATCH_S, CASE_S = 120.0, 300.0, 30.0
SCRIPT = Path(__file__).with_name("referee.cjs")


class Missing(Exception):
    """The referee can't be had on this machine; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Case:
    """Code to judge. `goal`: data, trigger or script."""

    code: str
    goal: str


@dataclass(frozen=True, slots=True, order=True)
class Free:
    """A free name and where it stands, in characters (code points) of the code. `path`: the members
    written behind it, up to the first that only running the code would tell. `shorthand`: it is key
    and value at once."""

    start: int
    end: int
    name: str
    path: tuple[str, ...] = ()
    shorthand: bool = False

    def __str__(self) -> str:
        written = ".".join((self.name, *self.path))
        return f"{'key ' * self.shorthand}{written} at {self.start}"


@dataclass(frozen=True, slots=True, order=True)
class Used:
    """A member of a script, or what may be one. `of`: the script's name; `this`, where that is the
    script; `export`, where the script defines it. `member`: empty where only running the code
    would tell it; `other`: members that it is not."""

    start: int
    end: int
    of: str
    member: str = ""
    shorthand: bool = False
    other: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Said:
    """A text that one of Appsmith's functions takes for a name."""

    start: int
    end: int
    function: str
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Free names, and the rest, in order of place; `broken`: why the code can't be parsed, else
    empty. `unclear`: uses of members, or of whole scripts, that nobody can decide about."""

    names: tuple[Free, ...]
    broken: str = ""
    members: tuple[Used, ...] = ()
    unclear: tuple[Used, ...] = ()
    mentions: tuple[Said, ...] = ()


class Referee:
    """Judges code on node. Raises Missing when it can't be had."""

    def __init__(self) -> None:
        self._command = ["node", "--stack-size=4000", str(SCRIPT), str(installed())]

    def judge(self, cases: Iterable[Case]) -> list[Verdict]:
        """A verdict for each case, in order, by one process. Raises TimeoutExpired."""
        lines = [_line(number, case) for number, case in enumerate(cases)]
        done = subprocess.run(
            self._command,
            input="".join(lines),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=BATCH_S,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"node ended with {done.returncode}: {done.stderr[-2000:]}")
        answers = done.stdout.split("\n")[:-1]
        if len(answers) != len(lines):
            raise RuntimeError(f"{len(answers)} answers to {len(lines)} cases")
        return [_verdict(number, answer) for number, answer in enumerate(answers)]

    @contextmanager
    def sitting(self) -> Iterator["Sitting"]:
        """One process for many single cases, where each depends on the verdict before."""
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        try:
            yield Sitting(process)
        finally:
            process.kill()
            process.communicate(timeout=CASE_S)


class Sitting:
    """A referee who waits for the next case. A case that takes longer than CASE_S ends it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._number = 0

    def judge(self, case: Case) -> Verdict:
        """The verdict on one case."""
        into, out = self._process.stdin, self._process.stdout
        assert into is not None, "it is a pipe"
        assert out is not None, "it is a pipe"
        self._number += 1
        deadline = Timer(CASE_S, self._process.kill)
        deadline.start()
        try:
            into.write(_line(self._number, case))
            into.flush()
            answer = out.readline()
        finally:
            deadline.cancel()
        if not answer:
            raise RuntimeError(f"node ended or took longer than {CASE_S} s: {case}")
        return _verdict(self._number, answer)


def _line(number: int, case: Case) -> str:
    return json.dumps({"id": number, "code": case.code, "goal": case.goal}) + "\n"


def _verdict(number: int, line: str) -> Verdict:
    answer = json.loads(line)
    if answer["id"] != number:
        raise RuntimeError(f"the answer to {answer['id']} instead of {number}")
    if broken := answer.get("broken"):
        return Verdict((), str(broken))
    found = ((n[1], n[2], n[0], tuple(n[3]), n[4]) for n in answer["names"])
    return Verdict(
        tuple(Free(*one) for one in found),
        "",
        tuple(Used(m[1], m[2], m[0], m[3], m[4]) for m in answer["members"]),
        tuple(
            Used(u[1], u[2], u[0], u[4] if len(u) > 4 else "", False, tuple(u[3]))
            for u in answer["unclear"]
        ),
        tuple(Said(m[1], m[2], m[0], m[3]) for m in answer["mentions"]),
    )


@cache
def installed() -> Path:
    """The folder whose node_modules has the packages; installs them once. Raises Missing."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise Missing(f"{tool} is not installed")
    wanted = [f"{name}@{version}" for name, version in PACKAGES.items()]
    home = cache_folder() / "referee" / "+".join(wanted)
    if _complete(home):
        return home
    home.mkdir(parents=True, exist_ok=True)
    quiet = ("--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
    done = subprocess.run(
        ["npm", "install", "--prefix", str(home), *quiet, *wanted],
        capture_output=True,
        text=True,
        timeout=INSTALL_S,
        check=False,
    )
    if done.returncode or not _complete(home):
        raise Missing(f"npm could not install it (exit {done.returncode})")
    return home


def _complete(home: Path) -> bool:
    """Whether each package is there in its version: an install may have been cut short."""
    for name, version in PACKAGES.items():
        described = home / "node_modules" / name / "package.json"
        if not described.exists() or json.loads(described.read_text())["version"] != version:
            return False
    return True
