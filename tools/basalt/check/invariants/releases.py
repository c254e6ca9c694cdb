"""What is live, and who pays for it."""

from tools.basalt.check.evidence import Evidence
from tools.basalt.check.outcome import SUSPICIONS_MAX, Outcome, invariant
from tools.basalt.check.settings import Limits

POINTERS = f"""
SELECT p.app_id, p.environment, p.release_id, p.version, r.standing, r.app_id, r.environment
FROM pointer AS p LEFT JOIN release AS r ON r.id = p.release_id
WHERE r.standing IS NOT 'live' OR r.app_id IS NOT p.app_id OR r.environment IS NOT p.environment
LIMIT {SUSPICIONS_MAX}
"""
UNPOINTED = f"""
SELECT r.app_id, r.environment, r.id FROM release AS r
WHERE r.standing = 'live' AND NOT EXISTS (SELECT 1 FROM pointer AS p WHERE p.release_id = r.id)
LIMIT {SUSPICIONS_MAX}
"""
BUNDLES = f"""
SELECT r.id, r.app_id, b.digest, b.state FROM blob AS b
JOIN release AS r ON r.bundle = b.digest AND (r.standing = 'live'
    OR r.id IN (SELECT release_id FROM pointer))
JOIN delivery_app AS a ON a.id = r.app_id AND a.ws = b.ws
WHERE b.state NOT IN ('ok', 'folder') LIMIT {SUSPICIONS_MAX}
"""
LEFT_LIVE = """
SELECT p.app_id FROM pointer AS p JOIN saga AS s ON s.release_id = p.release_id
WHERE s.status = 'ABANDONED'
"""
QUOTA = f"""
WITH left_live AS ({LEFT_LIVE}),
counted AS (SELECT ws, app_id, units, pointer_version FROM consumption WHERE units > 0),
live AS (SELECT ws, app_id, max(version) AS version FROM pointer GROUP BY ws, app_id),
both AS (
    SELECT c.ws AS ws, c.app_id AS app_id, c.units AS units, c.pointer_version AS seen,
        l.version AS version FROM counted AS c LEFT JOIN live AS l ON l.app_id = c.app_id
    UNION SELECT l.ws, l.app_id, c.units, c.pointer_version, l.version FROM live AS l
        LEFT JOIN counted AS c ON c.app_id = l.app_id
)
SELECT ws, app_id, units, seen, version FROM both
WHERE (units IS NULL OR version IS NULL)
    AND app_id NOT IN (SELECT app_id FROM saga WHERE open AND app_id IS NOT NULL)
    AND (version IS NULL OR app_id NOT IN (SELECT app_id FROM left_live))
LIMIT {SUSPICIONS_MAX}
"""


@invariant("pointer", "delivery", "blobs")
def pointer(evidence: Evidence, limits: Limits) -> Outcome:
    """A live pointer points to a live release of its app and environment, never to one that was
    abandoned, superseded or only staged; each live release has its pointer, so there is exactly one
    for each app and environment; and its bundle is in the blob store, byte for byte what its
    digests say."""
    outcome = Outcome(
        {
            "pointers": evidence.count("pointer"),
            "releases": evidence.count("release"),
            "bundles": evidence.number("SELECT count(*) FROM blob WHERE digest <> ''"),
        }
    )
    for app, environment, release, version, standing, of, where in evidence.ask(POINTERS):
        is_what = f"is {standing}" if standing != "live" else f"is of app {of} in {where}"
        is_what = is_what if standing else "is not there"
        outcome.find(
            f"{app} {environment} {version}",
            f"app {app} points in {environment} to release {release}, which {is_what}",
        )
    for app, environment, release in evidence.ask(UNPOINTED):
        outcome.find(
            f"{release}", f"release {release} of app {app} is live in {environment} without pointer"
        )
    for release, app, digest, state in evidence.ask(BUNDLES):
        outcome.find(
            f"bundle {release} {state}",
            f"release {release} of app {app} is live, of its bundle {digest[:12]} {state}",
        )
    return outcome


@invariant("quota_mismatch", "billing", "delivery", "orchestrator")
def quota_mismatch(evidence: Evidence, limits: Limits) -> Outcome:
    """Billing counts exactly the apps that delivery has live. Apps with an open saga are left out:
    their count is on its way. What an abandoned publish left live is in the notes: an operator
    answers for it."""
    outcome = Outcome(
        {
            "apps counted": evidence.number("SELECT count(*) FROM consumption WHERE units > 0"),
            "apps live": evidence.number("SELECT count(DISTINCT app_id) FROM pointer"),
        }
    )
    for workspace, app, units, seen, version in evidence.ask(QUOTA):
        what = "is live and not counted" if units is None else f"counts {units}, and is not live"
        outcome.find(
            f"{app} {units} {seen} {version}", f"app {app} of workspace {workspace} {what}"
        )
    left = evidence.number(f"SELECT count(*) FROM ({LEFT_LIVE})")
    if left:
        outcome.notes.append(f"abandoned publishes left {left} releases live")
    return outcome
