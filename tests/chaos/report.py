"""The report: a matrix of saga, direction and step against fault points; as text and Markdown."""

from tests.chaos.batch import Result
from tests.chaos.book import Book
from tests.chaos.cases import Case

SIGNS = {"ok": "ok", "not fired": "silent", "stuck": "STUCK", "wrong": "WRONG", "broken": "BROKEN"}
ABSENT = "-"
LEGEND = (
    "O: in the orchestrator, P: in the participant. ok: killed there, restarted, ended as it must."
    " silent: the fault did not fire. -: no such case."
)


def markdown(book: Book) -> str:
    """The whole report."""
    singles = [case for case in book.cases if len(case.kills) == 1]
    lines = [
        "# Kill sweep",
        "",
        f"Seed {book.seed}: {summary(book)}",
        "",
        LEGEND,
        "",
        *_matrix(book, singles),
        "",
        *_table("Two kills in one saga", book, [c.name for c in book.cases if len(c.kills) > 1]),
        *_table("Servers, groups, operators", book, book.trials),
        *_complaints(book),
    ]
    return "\n".join(lines) + "\n"


def summary(book: Book) -> str:
    """One line."""
    counts: dict[str, int] = {}
    for result in book.results.values():
        counts[result.fate] = counts.get(result.fate, 0) + 1
    told = ", ".join(f"{count} {fate}" for fate, count in sorted(counts.items()))
    return (
        f"{len(book.results)} of {book.total} cases: {told or 'none'};"
        f" {len(book.violations)} violations"
    )


def _matrix(book: Book, cases: list[Case]) -> list[str]:
    columns = sorted({case.kills[0].place for case in cases})
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for case in cases:
        row = rows.setdefault((case.saga, case.direction, case.step), {})
        row[case.kills[0].place] = _sign(book.results.get(case.name))
    head = ["saga", "direction", "step", *columns]
    body = [[*key, *(row.get(column, ABSENT) for column in columns)] for key, row in rows.items()]
    return [_line(head), _line(["---"] * len(head)), *map(_line, body)]


def _table(title: str, book: Book, names: list[str]) -> list[str]:
    if not names:
        return []
    lines = [f"## {title}", "", _line(["case", "result"]), _line(["---", "---"])]
    return [*lines, *(_line([name, _sign(book.results.get(name))]) for name in names), ""]


def _complaints(book: Book) -> list[str]:
    lines: list[str] = []
    for result in book.failures:
        lines += [f"- {result.fate}: `{result.name}` (saga {result.saga_id}): {result.said}"]
        lines += [f"  again: `python -m tests.chaos --only '{result.name}'`"]
    lines += [f"- violation: {violation}" for violation in book.violations]
    return ["## What went wrong", "", *lines] if lines else ["Nothing went wrong."]


def _sign(result: Result | None) -> str:
    return "" if result is None else SIGNS[result.fate]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
