"""Bodies: what studio's rows name is in MongoDB, as it was written."""

from tools.basalt.check.evidence import Evidence
from tools.basalt.check.outcome import SUSPICIONS_MAX, Outcome, invariant
from tools.basalt.check.settings import Limits

NAMED = f"""
WITH named AS (
    SELECT 'the head of app ' || id AS what, ws || ':' || head_digest AS name FROM studio_app
    UNION SELECT 'revision ' || id, ws || ':' || digest FROM revision
)
SELECT what, name FROM named
WHERE NOT EXISTS (SELECT 1 FROM content WHERE collection = 'revisions' AND id = named.name)
LIMIT {SUSPICIONS_MAX}
"""
BROKEN = f"""
SELECT collection, id, state, of FROM content
WHERE collection IN ('manifest', 'packs') AND state <> 'ok' LIMIT {SUSPICIONS_MAX}
"""


@invariant("bodies", "studio", "mongo")
def bodies(evidence: Evidence, limits: Limits) -> Outcome:
    """The content that a revision, or an app's head, names by its digest is in MongoDB, and so is
    every pack that it is made of; of as many as the limit allows the digest is computed again."""
    read = "SELECT count(*) FROM content WHERE collection = "
    outcome = Outcome(
        {
            "apps": evidence.count("studio_app"),
            "revisions": evidence.count("revision"),
            "contents read": evidence.number(f"{read}'manifest'"),
            "packs read": evidence.number(f"{read}'packs'"),
        }
    )
    for what, name in evidence.ask(NAMED):
        outcome.find(f"{what} {name}", f"{what} names content {name}, which is not in MongoDB")
    for collection, name, state, of in evidence.ask(BROKEN):
        part = f"pack {name} of content {of}" if collection == "packs" else f"content {name}"
        outcome.find(f"{collection} {name}", f"{part} is {state}")
    return outcome
