"""Facts against the rows that announced them."""

from tools.basalt.check.evidence import Evidence
from tools.basalt.check.outcome import EVERY_SERVICE, SUSPICIONS_MAX, Outcome, invariant
from tools.basalt.check.settings import Limits

SEEN = """
CREATE TEMP TABLE IF NOT EXISTS seen AS SELECT topic, key, version, id FROM record WHERE false
"""
FILL = """
INSERT INTO seen SELECT topic, key, version, id FROM record
    WHERE kind = 'fact' AND version IS NOT NULL
UNION SELECT topic, key, version, id FROM outbox WHERE version IS NOT NULL
"""
WHOLE = "(SELECT name FROM topic GROUP BY name HAVING max(read_from) = 0)"
"""Topics that were read from their very first record: what is missing there was never sent."""

LOST = f"""
SELECT a.service, a.tbl, a.topic, a.id, a.version, coalesce(max(s.version), 0) AS seen
FROM aggregate AS a LEFT JOIN seen AS s ON s.topic = a.topic AND s.key = a.id
WHERE a.version > 0 AND (s.key IS NOT NULL OR a.topic IN {WHOLE})
GROUP BY a.service, a.tbl, a.topic, a.id, a.version HAVING a.version > seen LIMIT {SUSPICIONS_MAX}
"""
WAITING = f"""
SELECT service, id, type, key, age_s FROM outbox
WHERE age_s > ? AND NOT EXISTS (SELECT 1 FROM record AS r WHERE r.id = outbox.id)
ORDER BY age_s DESC LIMIT {SUSPICIONS_MAX}
"""
UNFOUNDED = f"""
SELECT s.topic, s.key, max(s.version) AS seen, a.version
FROM seen AS s
LEFT JOIN aggregate AS a ON a.topic = s.topic AND a.id = s.key
WHERE s.topic IN (SELECT DISTINCT topic FROM aggregate)
GROUP BY s.topic, s.key, a.version
HAVING seen > coalesce(a.version, 0)
    AND (a.version IS NOT NULL OR s.topic NOT IN (SELECT topic FROM aggregate WHERE mortal))
LIMIT {SUSPICIONS_MAX}
"""
GAPS = f"""
SELECT topic, key, min(version), max(version), count(DISTINCT version) FROM seen
GROUP BY topic, key
HAVING count(DISTINCT version) <> max(version) - min(version) + 1
    OR (min(version) > 1 AND topic IN {WHOLE})
LIMIT {SUSPICIONS_MAX}
"""
FIRSTS = """
SELECT topic, key, id, version, min(part) AS part, min(off) AS off, count(DISTINCT part) AS parts
FROM record WHERE kind = 'fact' AND version IS NOT NULL AND id IS NOT NULL
GROUP BY topic, key, id, version
"""
DISORDER = f"""
WITH first AS ({FIRSTS}), walk AS (
    SELECT topic, key, version, off, part,
        lag(version) OVER way AS before, lag(part) OVER way AS part_before
    FROM first WINDOW way AS (PARTITION BY topic, key ORDER BY part, off)
)
SELECT topic, key, before, version, part, part_before, off FROM walk
WHERE version <= before OR part <> part_before LIMIT {SUSPICIONS_MAX}
"""


def _seen(evidence: Evidence) -> int:
    """Fill the table of what was announced: on a topic, or in an outbox on its way there."""
    if evidence.once("seen"):
        evidence.change(SEEN)
        evidence.change("DELETE FROM seen")
        evidence.change(FILL)
        evidence.change("CREATE INDEX IF NOT EXISTS seen_key ON seen (topic, key)")
    return evidence.number("SELECT count(*) FROM seen")


@invariant("lost_event", *EVERY_SERVICE, "kafka")
def lost_event(evidence: Evidence, limits: Limits) -> Outcome:
    """Every change that an aggregate says it announced is public. Its row's `version` is the
    number of its facts: the newest fact of that key, on its topic or in the outbox, must have that
    version. And no row of an outbox waits long (at rest: at all) without being on its topic."""
    outcome = Outcome(
        {"facts": _seen(evidence), "aggregates": evidence.count("aggregate")}
        | {"outbox rows": evidence.count("outbox")}
    )
    for service, table, topic, key, version, seen in evidence.ask(LOST):
        outcome.find(
            f"{topic} {key} {version}",
            f"{service}.{table} {key} announced {version} facts, {topic} has them up to {seen}",
        )
    age_s = -1.0 if limits.at_rest else limits.outbox_age_s
    for service, name, wire_type, key, waited in evidence.ask(WAITING, age_s):
        outcome.find(
            f"outbox {name}",
            f"outbox of {service}: {wire_type} {name} of {key} waits for {waited:.0f} s",
        )
    return outcome


@invariant("unfounded_event", *EVERY_SERVICE, "kafka")
def unfounded_event(evidence: Evidence, limits: Limits) -> Outcome:
    """Nothing is announced that was not committed: no fact has a version above its aggregate's
    row, or an aggregate that has no row (unless rows of its kind are deleted)."""
    outcome = Outcome({"facts": _seen(evidence)})
    for topic, key, seen, version in evidence.ask(UNFOUNDED):
        row = "there is no row" if version is None else f"its row says {version}"
        outcome.find(f"{topic} {key} {seen}", f"{topic} {key} announced version {seen}, {row}")
    return outcome


@invariant("version_gap", *EVERY_SERVICE, "kafka")
def version_gap(evidence: Evidence, limits: Limits) -> Outcome:
    """The facts of an aggregate are numbered 1, 2, 3, ... without a gap, counting what is still in
    the outbox. Where a topic does not begin at its first record any more, the first that is seen
    may have any number."""
    outcome = Outcome({"facts": _seen(evidence)})
    outcome.looked["keys"] = evidence.number("SELECT count(DISTINCT topic || key) FROM seen")
    for topic, key, first, last, count in evidence.ask(GAPS):
        rows = evidence.ask(
            "SELECT DISTINCT version FROM seen WHERE topic = ? AND key = ?", topic, key
        )
        missing = sorted(set(range(1, last + 1)) - {row[0] for row in rows})[:5]
        outcome.find(
            f"{topic} {key} {missing}",
            f"{topic} {key}: versions {first} to {last} have {count} facts, without {missing}",
        )
    return outcome


@invariant("version_order", *EVERY_SERVICE, "kafka")
def version_order(evidence: Evidence, limits: Limits) -> Outcome:
    """A consumer that drops what it has seen (by id) sees the versions of a key rise, one fact for
    each, all in one partition."""
    outcome = Outcome({"facts": evidence.number("SELECT count(*) FROM record WHERE kind = 'fact'")})
    for topic, key, before, version, part, part_before, offset in evidence.ask(DISORDER):
        if part != part_before:
            text = f"its facts are in partitions {part_before} and {part}"
        elif version == before:
            text = f"version {version} was announced twice, again at offset {offset}"
        else:
            text = f"version {version} comes after {before}, at offset {offset}"
        outcome.find(f"{topic} {key} {version} {offset}", f"{topic} {key}: {text}")
    return outcome
