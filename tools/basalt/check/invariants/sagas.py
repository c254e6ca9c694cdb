"""Sagas: awake in time, and with a history that makes sense."""

from tools.basalt.check.evidence import Evidence
from tools.basalt.check.layout import ENDED, RESTING
from tools.basalt.check.outcome import SUSPICIONS_MAX, Outcome, invariant
from tools.basalt.check.settings import Limits

_RESTING = ", ".join(f"'{status}'" for status in RESTING)

TURNED = frozenset(
    {"given_up", "deadline_passed", "cancelled", "approval_refused", "approval_expired"}
)
"""After one of these a saga only goes back."""

TURNED_BY_ANSWER = "step_rejected"
ONWARD = frozenset({"step_done", "locked", "approved", "waits_for_lock", "waits_for_approval"})
"""Never after a turn."""


def _sagas(evidence: Evidence) -> dict[str, int]:
    return {
        "sagas": evidence.count("saga"),
        "open": evidence.number("SELECT count(*) FROM saga WHERE open"),
    }


@invariant("saga_without_wake_up", "orchestrator")
def saga_without_wake_up(evidence: Evidence, limits: Limits) -> Outcome:
    """A saga that has not ended has a wake-up, and one that has ended has none: the row is the
    timer, nothing else would ever touch the saga again."""
    outcome = Outcome(_sagas(evidence))
    for saga, kind, status, version, is_open in evidence.ask(
        "SELECT id, type, status, version, open FROM saga WHERE open = (due_in_s IS NULL)"
        f" LIMIT {SUSPICIONS_MAX}"
    ):
        what = "has no wake-up" if is_open else "has ended and has a wake-up"
        outcome.find(f"{saga} {version}", f"saga {saga} ({kind}, {status}) {what}")
    return outcome


@invariant("saga_overdue", "orchestrator")
def saga_overdue(evidence: Evidence, limits: Limits) -> Outcome:
    """No wake-up is long past: whoever is due is woken by some replica within moments. Sagas that
    wait for a person (NEEDS_ATTENTION, PAUSED, WAITING_SIGNAL) are in the notes."""
    outcome = Outcome(_sagas(evidence))
    for saga, kind, status, version, due_in in evidence.ask(
        "SELECT id, type, status, version, due_in_s FROM saga WHERE open AND due_in_s < ?"
        f" ORDER BY due_in_s LIMIT {SUSPICIONS_MAX}",
        -limits.overdue_s,
    ):
        outcome.find(
            f"{saga} {version}",
            f"saga {saga} ({kind}, {status}) should have been woken {-due_in:.0f} s ago",
        )
    for status, count, idle in evidence.ask(
        f"SELECT status, count(*), max(idle_s) FROM saga WHERE status IN ({_RESTING})"
        " GROUP BY status"
    ):
        outcome.notes.append(f"{count} sagas are {status}, the oldest since {idle:.0f} s")
    return outcome


@invariant("saga_unfinished", "orchestrator", at_rest_only=True)
def saga_unfinished(evidence: Evidence, limits: Limits) -> Outcome:
    """At rest every saga has ended, or waits for a person. (One that is overdue is told there.)"""
    outcome = Outcome(_sagas(evidence))
    for saga, kind, status, version in evidence.ask(
        "SELECT id, type, status, version FROM saga WHERE open AND due_in_s >= ?"
        f" AND status NOT IN ({_RESTING}) LIMIT {SUSPICIONS_MAX}",
        -limits.overdue_s,
    ):
        outcome.find(f"{saga} {version}", f"saga {saga} ({kind}) is {status}")
    return outcome


@invariant("saga_illegal_transition", "orchestrator")
def saga_illegal_transition(evidence: Evidence, limits: Limits) -> Outcome:
    """A saga's history has a line for each version of its row, 1, 2, 3, ...; it begins with its
    start, goes only back once it has turned (a step rejected, a deadline passed, ...), undoes
    nothing before that, and after its end only ignores. A start, and an end by abandonment, happen
    once."""
    outcome = Outcome(_sagas(evidence) | {"histories": evidence.count("history")})
    for saga, lines, first, last, version, story, status in evidence.each("SELECT * FROM history"):
        fault = _gap(lines, first, last, version) or illegal(story, status)
        if fault:
            outcome.find(f"{saga} {version}", f"saga {saga}: {fault}")
    return outcome


def _gap(lines: int, first: int | None, last: int | None, version: int) -> str:
    if not lines:
        return f"it is at version {version} and has no history"
    if lines != version or first != 1 or last != version:
        return f"its history has {lines} lines from {first} to {last}, its version is {version}"
    return ""


def illegal(story: str, status: str) -> str:
    """What is wrong with the lines of a history (`happened`, with + between what happened at once,
    and blanks between lines) of a saga that stands at `status`; "" when nothing is."""
    turned = ended = False
    for number, line in enumerate(story.split(" "), 1):
        words = line.split("+")
        if ("started" in words) != (number == 1):
            return f"line {number} is {line}: it starts once, and first"
        for word in words:
            if ended and word != "ignored":
                return f"line {number} is {word}, after its end"
            if turned and word in ONWARD:
                return f"line {number} is {word}, although it had turned back"
            if word == "step_undone" and not turned:
                return f"line {number} is {word}, although it had not turned back"
            turned = turned or word in TURNED or word == TURNED_BY_ANSWER
            ended = ended or word == "abandoned"
    if status == "COMPLETED" and turned:
        return "it is COMPLETED, although it had turned back"
    if status in ENDED and ended != (status == "ABANDONED"):
        return f"it is {status}, which its history does not tell"
    if status == "COMPENSATED" and not turned:
        return "it is COMPENSATED, although it never turned back"
    return ""
