"""What sagas hold while they run is let go at their end, and belongs to one of them."""

from tools.basalt.check.evidence import Evidence
from tools.basalt.check.outcome import SUSPICIONS_MAX, Outcome, invariant
from tools.basalt.check.settings import Limits

HELD = """
SELECT 'reservation' AS what, r.id AS id, r.ws AS ws, s.id AS saga, s.status AS status
    FROM reservation AS r LEFT JOIN saga AS s ON s.reservation_id = r.id
UNION ALL SELECT 'freeze of app ' || f.app_id || ' for release', f.release_id, f.ws, s.id, s.status
    FROM freeze AS f LEFT JOIN saga AS s ON s.release_id = f.release_id
UNION ALL SELECT 'staged release', r.id, r.ws, s.id, s.status
    FROM release AS r LEFT JOIN saga AS s ON s.release_id = r.id WHERE r.standing = 'staged'
UNION ALL SELECT h.what, h.id, h.ws, s.id, s.status
    FROM hold AS h LEFT JOIN saga AS s ON s.hold_id = h.id
UNION ALL SELECT 'open change of plan', c.id, c.ws, s.id, s.status
    FROM plan_change AS c LEFT JOIN saga AS s ON s.change_id = c.id WHERE c.state = 'open'
UNION ALL SELECT p.state || ' payment', p.id, p.ws, s.id, s.status
    FROM payment AS p LEFT JOIN saga AS s ON s.payment_id = p.id
    WHERE p.state NOT IN ('new', 'captured', 'declined', 'voided', 'refunded')
"""
RESIDUE = f"""
WITH held AS ({HELD}) SELECT what, id, ws, saga, status FROM held
WHERE status IN ('COMPLETED', 'COMPENSATED') LIMIT {SUSPICIONS_MAX}
"""
ORPHANS = f"""
WITH held AS ({HELD}) SELECT what, id, ws FROM held WHERE saga IS NULL LIMIT {SUSPICIONS_MAX}
"""
ABANDONED = f"""
WITH held AS ({HELD}) SELECT what, count(*) FROM held WHERE status = 'ABANDONED' GROUP BY what
"""
QUEUED = """
SELECT l.key, l.place, l.saga_id, s.status FROM lock AS l LEFT JOIN saga AS s ON s.id = l.saga_id
WHERE {which} LIMIT 10000
"""
UNLOCKED = f"""
SELECT w.saga_id, w.key, s.version, l.saga_id FROM lock_wanted AS w
JOIN saga AS s ON s.id = w.saga_id LEFT JOIN lock AS l ON l.key = w.key AND l.place = 1
WHERE l.saga_id IS NOT w.saga_id LIMIT {SUSPICIONS_MAX}
"""
STORES = ("orchestrator", "billing", "studio", "delivery", "identity")


def _held(evidence: Evidence) -> dict[str, int]:
    return {
        "reservations": evidence.count("reservation"),
        "freezes": evidence.count("freeze"),
        "staged releases": evidence.number(
            "SELECT count(*) FROM release WHERE standing = 'staged'"
        ),
        "holds": evidence.count("hold"),
        "changes of plan": evidence.count("plan_change"),
        "payments": evidence.count("payment"),
    }


@invariant("saga_ended_with_residue", *STORES)
def saga_ended_with_residue(evidence: Evidence, limits: Limits) -> Outcome:
    """An ended saga holds nothing: no reservation, freeze, staged release, hold of seats or apps,
    open change of plan, payment that is only set aside, or place in a lock's queue. What an
    abandoned one left is in the notes: an operator answers for it."""
    outcome = Outcome(_held(evidence) | {"places in locks": evidence.count("lock")})
    for what, name, workspace, saga, status in evidence.ask(RESIDUE):
        outcome.find(
            f"{what} {name}",
            f"saga {saga} is {status} and left {what} {name} (workspace {workspace})",
        )
    ended = QUEUED.format(which="s.status IN ('COMPLETED', 'COMPENSATED', 'ABANDONED')")
    for key, place, saga, status in evidence.ask(ended):
        outcome.find(
            f"lock {key} {saga}", f"saga {saga} is {status} and is number {place} at lock {key}"
        )
    for what, count in evidence.ask(ABANDONED):
        outcome.notes.append(f"abandoned sagas left {count} of: {what}")
    return outcome


@invariant("orphan_reservation", *STORES)
def orphan_reservation(evidence: Evidence, limits: Limits) -> Outcome:
    """Every reservation, freeze, staged release, hold, open change of plan and payment that is only
    set aside belongs to a saga that is known."""
    outcome = Outcome(_held(evidence))
    for what, name, workspace in evidence.ask(ORPHANS):
        outcome.find(f"{what} {name}", f"{what} {name} (workspace {workspace}) belongs to no saga")
    return outcome


@invariant("orphan_lock", "orchestrator")
def orphan_lock(evidence: Evidence, limits: Limits) -> Outcome:
    """Whoever stands in a lock's queue is a saga that is known: nobody else lets it go."""
    outcome = Outcome({"places in locks": evidence.count("lock")})
    for key, place, saga, _ in evidence.ask(QUEUED.format(which="s.id IS NULL")):
        outcome.find(f"{key} {saga}", f"{saga}, number {place} at lock {key}, is no saga")
    return outcome


@invariant("lock_not_held", "orchestrator")
def lock_not_held(evidence: Evidence, limits: Limits) -> Outcome:
    """A saga that is past its wait for locks, and has not ended, is first in the queue of each."""
    outcome = Outcome({"locks wanted": evidence.count("lock_wanted")})
    for saga, key, version, holder in evidence.ask(UNLOCKED):
        who = f"{holder} holds it" if holder else "nobody holds it"
        outcome.find(f"{saga} {key} {version}", f"saga {saga} works without lock {key}: {who}")
    return outcome
