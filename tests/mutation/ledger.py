"""What is known of mutants: fates kept between runs, and survivors that are explained."""

import json
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from tests.mutation.hunt import Fate, Verdict
from tests.mutation.mutant import ROOT, Mutant
from tests.mutation.targets import KILLED_MIN, Area

EXPLAINED = Path(__file__).with_name("survivors.toml")
"""Each survivor's name, and why no test has to notice it."""

KEPT = ROOT / ".basalt" / "mutation" / "killed.jsonl"


class Kept:
    """Kills of earlier runs. One counts as long as the function and the file of the test that
    noticed it stay as they are; survivors are tried again each time."""

    def __init__(self, file: Path = KEPT) -> None:
        self._file = file
        lines = file.read_text().splitlines() if file.exists() else []
        self._killed = dict(map(json.loads, lines))

    def forget(self) -> None:
        """As if nothing had ever been hunted."""
        self._killed = {}
        self._file.unlink(missing_ok=True)

    def verdict(self, mutant: Mutant) -> Verdict | None:
        found = self._killed.get(_digest(mutant))
        if found is None:
            return None
        by, test = found
        return Verdict(mutant, Fate.KILLED, by) if test == _file_digest(by) else None

    def add(self, verdict: Verdict) -> None:
        if verdict.fate is Fate.SURVIVED:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a") as lines:
            known = (verdict.by, _file_digest(verdict.by))
            lines.write(json.dumps((_digest(verdict.mutant), known)) + "\n")


def _digest(mutant: Mutant) -> str:
    return sha256(f"{mutant.name}\n{mutant.original}".encode()).hexdigest()[:24]


def _file_digest(test: str) -> str:
    """Of the file of a test; nothing where no test noticed but the clock."""
    file = ROOT / test.split("::")[0]
    return sha256(file.read_bytes()).hexdigest()[:24] if file.is_file() else ""


def explained(file: Path = EXPLAINED) -> dict[str, str]:
    """Name to reason."""
    found = tomllib.loads(file.read_text())
    return {
        name: why for group in found.get("survivors", ()) for name, why in _members(group).items()
    }


def _members(group: dict[str, object]) -> dict[str, str]:
    names, why = group["mutants"], group["why"]
    assert isinstance(names, list)
    return dict.fromkeys(map(str, names), str(why))


@dataclass
class Judgement:
    """What a whole run says. `problems` make it fail."""

    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def judge(verdicts: Sequence[Verdict], areas: Iterable[Area], why: dict[str, str]) -> Judgement:
    """Figures by module and area. A problem is a survivor without an explanation, an explanation
    without a survivor, or an area of which too few are killed."""
    result = Judgement()
    result.lines.append(f"{'module':<36}{'mutants':>8}{'killed':>8}{'survived':>9}{'killed %':>10}")
    survivors: set[str] = set()
    for area in areas:
        own = [verdict for verdict in verdicts if verdict.mutant.module in area.modules]
        for module in area.modules:
            one = [verdict for verdict in own if verdict.mutant.module == module]
            if one:
                result.lines.append(_line(module, one))
        if not own:
            continue
        result.lines.append(_line(area.name.upper(), own))
        share = _killed(own) / len(own)
        if share < KILLED_MIN:
            result.problems.append(f"{area.name}: {share:.1%} killed, {KILLED_MIN:.0%} are wanted")
        survivors |= {v.mutant.name for v in own if v.fate is Fate.SURVIVED}
    result.problems += [f"survived: {name}" for name in sorted(survivors - why.keys())]
    judged = {verdict.mutant.module for verdict in verdicts}
    stale = (name for name in why.keys() - survivors if name.split(":")[0] in judged)
    result.problems += [f"explained, but no survivor: {name}" for name in sorted(stale)]
    return result


def _killed(verdicts: Sequence[Verdict]) -> int:
    return sum(verdict.fate is not Fate.SURVIVED for verdict in verdicts)


def _line(name: str, verdicts: Sequence[Verdict]) -> str:
    count, killed = len(verdicts), _killed(verdicts)
    return f"{name:<36}{count:>8}{killed:>8}{count - killed:>9}{killed / count:>10.1%}"
