"""The report: one line for each invariant, or JSON for machines."""

import json
from dataclasses import dataclass, field

from tools.basalt.check.outcome import Outcome

TEXT_MAX = 300


@dataclass(frozen=True)
class Line:
    """One invariant. `outcome` None: not checked, `why` says what is missing and the remedy."""

    name: str
    meaning: str
    outcome: Outcome | None
    why: str = ""

    @property
    def verdict(self) -> str:
        if self.outcome is None:
            return "unchecked"
        return "violated" if self.outcome.findings else "sound"


@dataclass
class Report:
    """What a check found. `cut`: what was read only in part. Seconds."""

    at_rest: bool
    took_s: float
    looks: int
    lines: list[Line] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)

    @property
    def violated(self) -> list[Line]:
        return [line for line in self.lines if line.verdict == "violated"]

    @property
    def unchecked(self) -> list[Line]:
        return [line for line in self.lines if line.verdict == "unchecked"]

    @property
    def names(self) -> set[str]:
        """The names of what is violated."""
        return {line.name for line in self.violated}


_WORDS = {"sound": "ok", "violated": "VIOLATED", "unchecked": "not checked"}


def as_text(report: Report, findings_max: int) -> str:
    """For people."""
    width = max((len(line.name) for line in report.lines), default=0)
    said = []
    for line in report.lines:
        looked = line.outcome.looked if line.outcome else {}
        counts = ", ".join(f"{count} {what}" for what, count in looked.items())
        said.append(f"{_WORDS[line.verdict]:<12}{line.name:<{width}}  {counts or line.why}")
        findings = line.outcome.findings if line.outcome else []
        said += [f"    {finding.text}"[:TEXT_MAX] for finding in findings[:findings_max]]
        if len(findings) > findings_max:
            said.append(f"    ... and {len(findings) - findings_max} more")
        said += [f"    note: {note}" for note in (line.outcome.notes if line.outcome else ())]
    said += [f"cut: {text}" for text in report.cut]
    mode = "at rest" if report.at_rest else f"running, {report.looks} look(s)"
    said.append(
        f"{len(report.lines)} invariants ({mode}, {report.took_s:.1f} s):"
        f" {len(report.violated)} violated, {len(report.unchecked)} not checked"
    )
    return "\n".join(said)


def as_json(report: Report) -> str:
    """For machines. `sound` is the probe's value for Chaos Toolkit, which also takes exit codes."""
    return json.dumps(
        {
            "sound": not report.violated and not report.unchecked,
            "mode": "at_rest" if report.at_rest else "running",
            "took_s": round(report.took_s, 3),
            "looks": report.looks,
            "violated": sorted(report.names),
            "unchecked": sorted(line.name for line in report.unchecked),
            "cut": report.cut,
            "invariants": [_as_object(line) for line in report.lines],
        },
        indent=2,
    )


def _as_object(line: Line) -> dict[str, object]:
    outcome = line.outcome or Outcome({})
    return {
        "name": line.name,
        "verdict": line.verdict,
        "meaning": line.meaning,
        "why": line.why,
        "looked_at": outcome.looked,
        "findings": [{"key": each.key, "text": each.text} for each in outcome.findings],
        "notes": outcome.notes,
    }
