"""Every message is handled, waits, or is told of: nothing falls between offsets and tables."""

from collections.abc import Iterator
from dataclasses import dataclass

from tools.basalt.check.evidence import Evidence
from tools.basalt.check.layout import GROUPS, REPLIES, Group
from tools.basalt.check.outcome import EVERY_SERVICE, SUSPICIONS_MAX, Outcome, invariant
from tools.basalt.check.settings import Limits

DAY_MS = 86_400_000
BACKLOG_MS = 3_600_000
"""A message is handled within that time, or it is parked."""
MINE = """
CREATE TEMP TABLE IF NOT EXISTS mine AS
SELECT topic AS grp, topic, part, off, id, type, at_ms, 0 AS passed, '' AS fate
FROM record WHERE false
"""
FILL = """
INSERT INTO mine SELECT ?1, r.topic, r.part, r.off, r.id, r.type, r.at_ms,
    r.off < coalesce((SELECT c.off FROM committed AS c WHERE c.grp = ?1 AND c.topic = r.topic
        AND c.part = r.part), 0),
    CASE
    WHEN {parked} AND p.state = 'discarded') THEN 'discarded'
    WHEN EXISTS (SELECT 1 FROM inbox AS i WHERE i.grp = ?2 AND i.id = r.id) THEN 'handled'
    WHEN {parked} AND p.state IN ('failed', 'waiting', 'redriven')) THEN 'parked'
    WHEN {parked} AND p.state = 'undecodable') THEN 'dead-lettered'
    WHEN EXISTS (SELECT 1 FROM letter AS l WHERE l.grp IN (?1, ?2) AND l.topic = r.topic
        AND l.part = r.part AND l.off = r.off) THEN 'dead-lettered'
    ELSE '' END
FROM record AS r WHERE {which}
"""
PARKED = """EXISTS (SELECT 1 FROM parked AS p WHERE p.grp IN (?1, ?2) AND (p.id = r.id
    OR (p.topic = r.topic AND p.part = r.part AND p.off = r.off AND p.at_ms = r.at_ms))"""
UNANSWERED = f"""
SELECT r.id, r.type, r.corr, m.grp, i.answer_type FROM mine AS m
JOIN record AS r ON r.topic = m.topic AND r.part = m.part AND r.off = m.off
JOIN inbox AS i ON i.grp = m.grp AND i.id = r.id
WHERE r.kind = 'command' AND r.reply_to <> '' AND m.passed AND m.fate = 'handled'
    AND i.answer_type IS NOT NULL AND i.answer_type <> 'chassis.Pending.v1'
    AND r.reply_to IN (SELECT name FROM topic) AND r.at_ms >= ?
    AND NOT EXISTS (SELECT 1 FROM record AS a WHERE a.cause = r.id AND a.topic = r.reply_to)
    AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.cause = r.id AND o.topic = r.reply_to)
GROUP BY r.id LIMIT {SUSPICIONS_MAX}
"""
FORGOTTEN = f"""
SELECT i.grp, i.id FROM inbox AS i WHERE i.answer_type = 'chassis.Pending.v1'
    AND NOT EXISTS (SELECT 1 FROM pending AS p WHERE p.grp = i.grp AND p.id = i.id)
LIMIT {SUSPICIONS_MAX}
"""
UNSENT = f"""
SELECT a.saga_id, a.step, a.id, s.type, s.version FROM awaited AS a
JOIN saga AS s ON s.id = a.saga_id
WHERE s.started_ms >= ?
    AND NOT EXISTS (SELECT 1 FROM record AS r WHERE r.id IN (a.id, a.before))
    AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.id IN (a.id, a.before))
LIMIT {SUSPICIONS_MAX}
"""
INVENTED = f"""
SELECT i.grp, i.id FROM inbox AS i
WHERE i.answer_type IS NULL AND i.at_ms >= ?
    AND NOT EXISTS (SELECT 1 FROM record AS r WHERE r.id = i.id)
    AND NOT EXISTS (SELECT 1 FROM parked AS p WHERE p.id = i.id)
    AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.id = i.id) LIMIT {SUSPICIONS_MAX}
"""
TWICE_TOLD = f"""
SELECT p.grp, p.id, p.state FROM parked AS p JOIN inbox AS i ON i.grp = p.grp AND i.id = p.id
WHERE p.state IN ('undecodable', 'failed', 'waiting', 'redriven')
    AND NOT EXISTS (SELECT 1 FROM parked AS q
        WHERE q.grp = p.grp AND q.id = p.id AND q.state = 'handled')
LIMIT {SUSPICIONS_MAX}
"""
SUMS = """
SELECT grp, count(*), sum(fate = 'handled'), sum(fate = 'parked'), sum(fate = 'dead-lettered'),
    sum(fate = 'discarded'), sum(fate = '') FROM mine GROUP BY grp ORDER BY grp
"""


@dataclass(frozen=True)
class _Oldest:
    """Since when records and inbox rows must be there; unix ms."""

    record_ms: int
    inbox_ms: int

    @property
    def both_ms(self) -> int:
        return max(self.record_ms, self.inbox_ms)

    @property
    def backlog_ms(self) -> int:
        """What is handled since then was published while the topics were whole."""
        return max(self.record_ms + BACKLOG_MS if self.record_ms else 0, self.inbox_ms)


def _oldest(evidence: Evidence, limits: Limits) -> _Oldest:
    """Topics that lost their beginning, and inboxes that were pruned, say nothing of before."""
    newest = evidence.number("SELECT max(at_ms) FROM record")
    cut = evidence.number(
        "SELECT max(first) FROM (SELECT min(r.at_ms) AS first FROM topic AS t JOIN record AS r"
        " ON r.topic = t.name AND r.part = t.part AND t.read_from > 0 GROUP BY t.name, t.part)"
    )
    return _Oldest(cut, newest - int(limits.inbox_keep_days * DAY_MS))


def _which(group: Group) -> Iterator[tuple[str, list[str]]]:
    if group.commands:
        yield "r.topic = ?3", [f"cmd.{group.commands}.v1"]
    if group.replies:
        yield "r.topic = ?3", [REPLIES]
    if group.all_facts:
        yield "r.kind = 'fact'", []
    for wire_type in group.events:
        yield "r.kind = 'fact' AND r.type = ?3", [wire_type]


def _mine(evidence: Evidence) -> None:
    """Every record that a group is to handle, with its fate there."""
    if not evidence.once("mine"):
        return
    evidence.change(MINE)
    evidence.change("DELETE FROM mine")
    for group in GROUPS:
        for which, values in _which(group):
            evidence.change(
                FILL.format(which=which, parked=PARKED), group.name, group.inbox, *values
            )


@invariant("unhandled_message", *EVERY_SERVICE, "kafka")
def unhandled_message(evidence: Evidence, limits: Limits) -> Outcome:
    """A group passes over no message: what lies before its committed offset is in its inbox,
    parked, or a dead letter. At rest nothing lies behind the offset either."""
    _mine(evidence)
    outcome = Outcome({"messages": evidence.count("mine")})
    oldest = _oldest(evidence, limits)
    passed = "1" if limits.at_rest else "passed"
    sql = (
        "SELECT grp, topic, part, off, id, type, passed FROM mine"
        f" WHERE fate = '' AND {passed} AND at_ms >= ? LIMIT {SUSPICIONS_MAX}"
    )
    for group, topic, part, offset, name, wire_type, gone_by in evidence.ask(sql, oldest.inbox_ms):
        how = "passed over" if gone_by else "has not handled"
        outcome.find(
            f"{group} {topic} {part} {offset}",
            f"{group} {how} {wire_type or 'a record'} {name or ''} ({topic}/{part}@{offset})",
        )
    return outcome


@invariant("lost_outbox_row", *EVERY_SERVICE, "kafka")
def lost_outbox_row(evidence: Evidence, limits: Limits) -> Outcome:
    """What was to be sent was sent: the command that an open saga waits for is on a command topic
    or in the outbox; a command that was handled, and wants an answer, has one on its reply topic or
    in the outbox of who handled it, or is among those whose answer follows."""
    _mine(evidence)
    outcome = Outcome(
        {
            "awaited commands": evidence.count("awaited"),
            "handled commands": evidence.number(
                "SELECT count(*) FROM mine WHERE topic LIKE 'cmd.%' AND fate = 'handled'"
            ),
        }
    )
    oldest = _oldest(evidence, limits)
    for saga, step, command, kind, version in evidence.ask(UNSENT, oldest.record_ms):
        outcome.find(
            f"command {command} {version}",
            f"saga {saga} ({kind}) waits for the answer to step {step}, but its command {command}"
            " was never sent",
        )
    for command, wire_type, saga, group, answer in evidence.ask(UNANSWERED, oldest.both_ms):
        outcome.find(
            f"answer {command}",
            f"{group} answered {wire_type} {command} of saga {saga} with {answer}, but the answer"
            " was never sent",
        )
    for group, name in evidence.ask(FORGOTTEN):
        outcome.find(f"pending {name}", f"{group} owes {name} an answer, and nothing waits for it")
    return outcome


@invariant("accounting", *EVERY_SERVICE, "kafka")
def accounting(evidence: Evidence, limits: Limits) -> Outcome:
    """For each group: published = handled + waiting + parked + dead-lettered + discarded. Here is
    told what is counted twice (handled and parked) and what was handled and never published (an
    inbox row of an event or a reply that is on no topic); `unhandled_message` tells what is
    missing. The sums are in the notes."""
    _mine(evidence)
    outcome = Outcome({"groups": len(GROUPS)})
    for group, name, state in evidence.ask(TWICE_TOLD):
        outcome.find(f"twice {group} {name}", f"{group}: {name} is handled, and {state} as well")
    for group, name in evidence.ask(INVENTED, _oldest(evidence, limits).backlog_ms):
        outcome.find(f"invented {group} {name}", f"{group} handled {name}, which is on no topic")
    for group, *sums in evidence.ask(SUMS):
        published, handled, parked, dead, discarded, left = sums
        outcome.notes.append(
            f"{group}: {published} published = {handled} handled + {left} waiting"
            f" + {parked} parked + {dead} dead-lettered + {discarded} discarded"
        )
    return outcome
