"""What a check of an app found: figures, differences by rule, and what no rule explains."""

from collections import Counter
from dataclasses import dataclass, field

SHOWN_MAX = 20
"""Unexplained findings shown of each app; all of them count."""


@dataclass(slots=True)
class Findings:
    """`figures`: by name, in order of appearance. `unexplained`: each a line to look into."""

    name: str
    figures: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)

    def explain(self, figure: str, rule: str, what: str) -> None:
        """Count a difference by its rule; without one it is unexplained."""
        self.figures[f"{figure}: {rule or 'UNEXPLAINED'}"] += 1
        if not rule:
            self.unexplained.append(f"{figure}: {what}")


def total(all_of: list[Findings]) -> Findings:
    """The sum over apps."""
    summed = Findings("total")
    for findings in all_of:
        for name, figure in findings.figures.items():  # not +=, which drops zeros
            summed.figures[name] += figure
        summed.unexplained += findings.unexplained
    return summed


def table(all_of: list[Findings]) -> str:
    """A row for each figure, a column for each app, and the total where there are several."""
    columns = all_of if len(all_of) == 1 else [*all_of, total(all_of)]
    names = list(dict.fromkeys(name for column in columns for name in column.figures))
    groups = list(dict.fromkeys(_group(name) for name in names))
    names.sort(key=lambda name: groups.index(_group(name)))
    rows = [["", *(column.name for column in columns)]]
    rows += [[name, *(f"{column.figures[name]:,}" for column in columns)] for name in names]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def unexplained(all_of: list[Findings]) -> str:
    """The lines to look into, the first of each app."""
    lines = []
    for findings in all_of:
        lines += [f"{findings.name}: {line}" for line in findings.unexplained[:SHOWN_MAX]]
        if (more := len(findings.unexplained) - SHOWN_MAX) > 0:
            lines.append(f"{findings.name}: and {more} more")
    return "\n".join(lines)


def _group(name: str) -> str:
    return name.partition(":")[0]
