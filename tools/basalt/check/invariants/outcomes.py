"""What an ended saga promised is so: everything, or nothing."""

from tools.basalt.check.evidence import Evidence
from tools.basalt.check.outcome import SUSPICIONS_MAX, Outcome, invariant
from tools.basalt.check.settings import Limits

LEFT_OPEN = {
    "COMPLETED": {"pending", "sent", "rejected", "compensating", "undone"},
    "COMPENSATED": {"done", "sent", "skipped", "compensating"},
}
"""Marks of steps that do not go with an end."""

PUBLISHES = """
SELECT s.id, s.status, s.release_id, r.standing FROM saga AS s
LEFT JOIN release AS r ON r.id = s.release_id
WHERE s.type = 'publish_app' AND s.status IN ('COMPLETED', 'COMPENSATED')
"""
ONBOARDINGS = """
SELECT s.id, s.status, s.body_ws, w.state, a.state, app.id, s.marks LIKE 'undone %'
    AND NOT EXISTS (SELECT 1 FROM saga AS o WHERE o.type = s.type AND o.body_ws = s.body_ws
        AND o.status = 'COMPLETED') FROM saga AS s
LEFT JOIN workspace AS w ON w.id = s.body_ws
LEFT JOIN account AS a ON a.id = s.body_ws
LEFT JOIN studio_app AS app ON app.id = s.app_id
WHERE s.type = 'onboard_workspace' AND s.status IN ('COMPLETED', 'COMPENSATED')
"""
PLANS = """
SELECT s.id, s.status, s.change_id, c.state, p.state FROM saga AS s
LEFT JOIN plan_change AS c ON c.id = s.change_id
LEFT JOIN payment AS p ON p.id = s.payment_id
WHERE s.type = 'change_plan' AND s.status IN ('COMPLETED', 'COMPENSATED')
"""


@invariant("saga_outcome", "orchestrator", "delivery", "identity", "billing", "studio")
def saga_outcome(evidence: Evidence, limits: Limits) -> Outcome:
    """COMPLETED means that every step is done, COMPENSATED that none is. In the participants too:
    the release of a completed publish is or was live, that of an undone one never was; a completed
    onboarding left an active workspace, an undone one neither workspace nor account nor app; a
    completed change of plan is applied and paid, an undone one neither. An onboarding that was
    refused a workspace, or came after one that has it, answers for its app only."""
    outcome = Outcome({"ended sagas": evidence.number("SELECT count(*) FROM saga WHERE NOT open")})
    for saga, status, marks in evidence.each("SELECT id, status, marks FROM saga WHERE NOT open"):
        wrong = LEFT_OPEN.get(status, set()) & set(marks.split())
        if wrong:
            outcome.find(saga, f"saga {saga} is {status} with steps {', '.join(sorted(wrong))}")
    for saga, status, release, standing in evidence.each(PUBLISHES):
        went_live = standing in ("live", "superseded")
        if standing != "staged" and went_live != (status == "COMPLETED"):
            outcome.find(
                f"{saga} {release}",
                f"publish {saga} is {status}, its release {release} is {standing or 'not there'}",
            )
    for saga, status, workspace, state, account, app, its_own in evidence.each(ONBOARDINGS):
        done = status == "COMPLETED"
        left = _left_of(state, account, app) if its_own else _left_of(None, None, app)
        if done and state != "active":
            outcome.find(saga, f"onboarding {saga} is COMPLETED, workspace {workspace} is {state}")
        if not done and left:
            outcome.find(saga, f"onboarding {saga} is COMPENSATED and left {left} of {workspace}")
    for saga, status, change, state, payment in evidence.each(PLANS):
        applied = (state, payment) == ("applied", "captured")
        if (status == "COMPLETED" and not applied) or (
            status == "COMPENSATED" and (state == "applied" or payment == "captured")
        ):
            outcome.find(
                f"{saga} {change}",
                f"change of plan {saga} is {status}, {change} is {state} and its payment {payment}",
            )
    outcome.findings = outcome.findings[:SUSPICIONS_MAX]
    return outcome


def _left_of(state: str | None, account: str | None, app: str | None) -> str:
    left = [
        f"a workspace that is {state}" if state not in (None, "deleted") else "",
        f"an account that is {account}" if account not in (None, "closed") else "",
        f"app {app}" if app else "",
    ]
    return ", ".join(each for each in left if each)
