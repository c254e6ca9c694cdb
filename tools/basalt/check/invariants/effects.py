"""No effect twice."""

from tools.basalt.check.evidence import Evidence
from tools.basalt.check.layout import ONCE
from tools.basalt.check.outcome import EVERY_SERVICE, SUSPICIONS_MAX, Outcome, invariant
from tools.basalt.check.settings import Limits

SAME_CAUSE = f"""
SELECT topic, key, type, cause, count(DISTINCT id), max(id) FROM record
WHERE kind = 'fact' AND cause IS NOT NULL
GROUP BY topic, key, type, cause, body HAVING count(DISTINCT id) > 1 LIMIT {SUSPICIONS_MAX}
"""
ONCE_ONLY = f"""
SELECT type, effect, count(DISTINCT id), max(id) FROM record WHERE effect IS NOT NULL
GROUP BY type, effect HAVING count(DISTINCT id) > 1 LIMIT {SUSPICIONS_MAX}
"""
TWO_ANSWERS = f"""
SELECT cause, min(type), max(type), count(DISTINCT type || body) FROM record
WHERE kind = 'reply' AND cause IS NOT NULL
GROUP BY cause HAVING count(DISTINCT type || body) > 1 LIMIT {SUSPICIONS_MAX}
"""
HANDLED_TWICE = f"""
SELECT grp, id, count(*) FROM inbox GROUP BY grp, id HAVING count(*) > 1 LIMIT {SUSPICIONS_MAX}
"""


@invariant("doubled_effect", *EVERY_SERVICE, "kafka")
def doubled_effect(evidence: Evidence, limits: Limits) -> Outcome:
    """A message has its effect once, however often it is delivered. Doubled is: a message that a
    group's inbox has twice; a command with two different answers; two facts of the same content
    from the same cause; a second fact of a kind that happens once for its thing (a reservation is
    made, given back and committed once, a release is staged and published once, ...)."""
    outcome = Outcome(
        {
            "handled messages": evidence.count("inbox"),
            "answers": evidence.number("SELECT count(*) FROM record WHERE kind = 'reply'"),
            "kinds of effect": len(ONCE),
        }
    )
    told: set[str] = set()
    for topic, key, wire_type, cause, count, last in evidence.ask(SAME_CAUSE):
        told.add(last)
        outcome.find(f"fact {last}", f"{cause} caused {wire_type} of {key} {count} times ({topic})")
    for wire_type, effect, count, last in evidence.ask(ONCE_ONLY):
        if last not in told:
            outcome.find(f"fact {last}", f"{wire_type} happened {count} times for {effect}")
    for cause, first, last, _ in evidence.ask(TWO_ANSWERS):
        outcome.find(f"answer {cause}", f"command {cause} has two answers: {first} and {last}")
    for group, name, count in evidence.ask(HANDLED_TWICE):
        outcome.find(f"inbox {group} {name}", f"{group} handled message {name} {count} times")
    return outcome
