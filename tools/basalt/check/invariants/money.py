"""Money: no entry without its counterpart, no payment taken twice."""

from tools.basalt.check.evidence import Evidence
from tools.basalt.check.outcome import SUSPICIONS_MAX, Outcome, invariant
from tools.basalt.check.settings import Limits

UNBALANCED = f"""
SELECT t.id, t.ws, t.kind, e.currency, sum(e.amount) FROM posting AS t
JOIN entry AS e ON e.posting_id = t.id GROUP BY t.id, e.currency HAVING sum(e.amount) <> 0
LIMIT {SUSPICIONS_MAX}
"""
INCOMPLETE = f"""
SELECT t.id, t.kind, t.entries, count(e.posting_id) FROM posting AS t
LEFT JOIN entry AS e ON e.posting_id = t.id GROUP BY t.id
HAVING count(e.posting_id) <> t.entries LIMIT {SUSPICIONS_MAX}
"""
HOMELESS = f"""
SELECT e.posting_id, count(*) FROM entry AS e
WHERE NOT EXISTS (SELECT 1 FROM posting AS t WHERE t.id = e.posting_id)
GROUP BY e.posting_id LIMIT {SUSPICIONS_MAX}
"""
MOVED = """
SELECT payment_id, sum(kind = 'payment') AS taken, sum(kind = 'refund') AS given
FROM posting WHERE payment_id IS NOT NULL GROUP BY payment_id
"""
PAYMENTS = f"""
WITH moved AS ({MOVED})
SELECT coalesce(p.id, m.payment_id), p.state, p.amount, coalesce(m.taken, 0), coalesce(m.given, 0)
FROM payment AS p LEFT JOIN moved AS m ON m.payment_id = p.id
UNION SELECT m.payment_id, NULL, 0, m.taken, m.given FROM moved AS m
WHERE m.payment_id NOT IN (SELECT id FROM payment)
"""
OWED = f"""
SELECT c.id, c.ws, e.currency, sum(e.amount) FROM plan_change AS c
JOIN posting AS t ON t.change_id = c.id
    OR t.payment_id IN (SELECT p.id FROM payment AS p WHERE p.change_id = c.id)
JOIN entry AS e ON e.posting_id = t.id AND e.account = 'customer'
WHERE c.state = 'applied' GROUP BY c.id, e.currency HAVING sum(e.amount) <> 0
LIMIT {SUSPICIONS_MAX}
"""
CREDIT = f"""
WITH said AS (
    SELECT ws, currency, amount AS kept, 0 AS booked FROM credit
    UNION ALL SELECT ws, currency, 0, -amount FROM entry WHERE account = 'credit'
)
SELECT ws, currency, sum(kept), sum(booked) FROM said GROUP BY ws, currency
HAVING sum(kept) <> sum(booked) LIMIT {SUSPICIONS_MAX}
"""


@invariant("ledger_unbalanced", "billing")
def ledger_unbalanced(evidence: Evidence, limits: Limits) -> Outcome:
    """Each transaction of the ledger has all its entries, and they sum to zero in every currency. A
    payment is taken at most once and given back at most once, and the books say what its state
    says: captured is taken, everything that is not is not (or was given back). An applied change of
    plan leaves its customer owing nothing, and what is kept as credit is what the books have."""
    outcome = Outcome(
        {
            "transactions": evidence.count("posting"),
            "entries": evidence.count("entry"),
            "payments": evidence.count("payment"),
        }
    )
    _transactions(outcome, evidence)
    for name, state, amount, taken, given in evidence.each(PAYMENTS):
        fault = disagreement(state, amount or 0, taken, given)
        if fault:
            outcome.find(f"{name} {state} {taken} {given}", f"payment {name}: {fault}")
    if not outcome.findings:  # whatever is out of balance shows in the sums as well
        _sums(outcome, evidence)
    return outcome


def _transactions(outcome: Outcome, evidence: Evidence) -> None:
    unbalanced = set()
    for name, workspace, kind, currency, total in evidence.ask(UNBALANCED):
        unbalanced.add(name)
        outcome.find(
            f"{name} {currency} {total}",
            f"{kind} {name} of workspace {workspace} is out of balance by {total} {currency}",
        )
    for name, kind, wanted, found in evidence.ask(INCOMPLETE):
        if name not in unbalanced:
            outcome.find(f"{name} {found}", f"{kind} {name} has {found} entries of {wanted}")
    for name, count in evidence.ask(HOMELESS):
        outcome.find(f"{name}", f"{count} entries belong to transaction {name}, which is not there")


def _sums(outcome: Outcome, evidence: Evidence) -> None:
    for change, workspace, currency, total in evidence.ask(OWED):
        outcome.find(
            f"{change} {total}",
            f"change of plan {change} of workspace {workspace} is applied and leaves its"
            f" customer at {total} {currency}",
        )
    for workspace, currency, kept, booked in evidence.ask(CREDIT):
        outcome.find(
            f"credit {workspace} {kept} {booked}",
            f"{kept} {currency} are kept for workspace {workspace}, by the books {booked}",
        )


def disagreement(state: str | None, amount: int, taken: int, given: int) -> str:
    """What is wrong between a payment's state and the books; "" when nothing is."""
    if state is None:
        return "the books know it, and there is no such payment"
    if taken > 1:
        return f"it was taken {taken} times"
    if given > taken:
        return f"it was given back {given} times and taken {taken} times"
    has = taken - given
    wanted = {1 if state == "captured" and amount else 0}
    if state == "voiding":  # it may have been captured before
        wanted = {0, 1}
    return "" if has in wanted else f"it is {state}, and the books have it {has} times"
