"""Activity: what happened, told once."""

from tools.basalt.check.evidence import Evidence
from tools.basalt.check.outcome import SUSPICIONS_MAX, Outcome, invariant
from tools.basalt.check.settings import Limits

UNTOLD = """
SELECT r.id, r.type, r.topic, r.off FROM record AS r
LEFT JOIN committed AS c ON c.grp = 'activity' AND c.topic = r.topic AND c.part = r.part
WHERE r.kind = 'fact' AND r.id IS NOT NULL AND {passed}
    AND NOT EXISTS (SELECT 1 FROM feed AS f WHERE f.id = r.id)
    AND NOT EXISTS (SELECT 1 FROM letter AS l WHERE l.grp = 'activity' AND l.topic = r.topic
        AND l.part = r.part AND l.off = r.off)
    AND NOT EXISTS (SELECT 1 FROM parked AS p WHERE p.grp = 'activity' AND (p.id = r.id
        OR (p.topic = r.topic AND p.part = r.part AND p.off = r.off)))
GROUP BY r.id LIMIT 10000
"""
TWICE = f"""
SELECT type, subject, version, count(*), max(id) FROM feed WHERE version > 0
GROUP BY type, subject, version HAVING count(*) > 1 LIMIT {SUSPICIONS_MAX}
"""
INVENTED = f"""
SELECT id, type, subject FROM feed
WHERE NOT EXISTS (SELECT 1 FROM record WHERE record.id = feed.id)
    AND NOT EXISTS (SELECT 1 FROM topic WHERE kind = 'fact' AND read_from > 0)
LIMIT {SUSPICIONS_MAX}
"""


@invariant("feed", "activity", "kafka", "mongo")
def feed(evidence: Evidence, limits: Limits) -> Outcome:
    """The feed has each public fact exactly once: every fact that activity has passed (at rest:
    every fact) is there under its id, no fact is there under two, and nothing is there that was
    never published (judged only while the topics still have their beginnings)."""
    facts = "SELECT count(DISTINCT id) FROM record WHERE kind = 'fact'"
    outcome = Outcome({"facts": evidence.number(facts), "entries": evidence.count("feed")})
    passed = "1" if limits.at_rest else "r.off < coalesce(c.off, 0)"
    for name, wire_type, topic, offset in evidence.ask(UNTOLD.format(passed=passed)):
        outcome.find(f"lacks {name}", f"the feed lacks {wire_type} {name} ({topic}@{offset})")
    for wire_type, subject, version, count, last in evidence.ask(TWICE):
        outcome.find(
            f"twice {last}", f"the feed has {wire_type} {version} of {subject} {count} times"
        )
    for name, wire_type, subject in evidence.ask(INVENTED):
        outcome.find(
            f"invented {name}", f"the feed has {wire_type} {name} of {subject}, never published"
        )
    return outcome
