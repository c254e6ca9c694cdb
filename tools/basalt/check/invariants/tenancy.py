"""Two workspaces share nothing."""

from tools.basalt.check.evidence import Evidence
from tools.basalt.check.layout import APP_TOPICS, WORKSPACE_TOPICS
from tools.basalt.check.outcome import EVERY_SERVICE, SUSPICIONS_MAX, Outcome, invariant
from tools.basalt.check.settings import Limits

OWNER = """
CREATE TEMP TABLE IF NOT EXISTS owner (app_id PRIMARY KEY, ws)
"""
FILL = """
INSERT OR IGNORE INTO owner SELECT id, ws FROM studio_app UNION ALL SELECT id, ws FROM delivery_app
"""
_APP_TOPICS = ", ".join(f"'{topic}'" for topic in APP_TOPICS)
_WORKSPACE_TOPICS = ", ".join(f"'{topic}'" for topic in WORKSPACE_TOPICS)

QUESTIONS = (
    # what, id, the workspace that it says, the workspace that owns it
    "SELECT 'app in delivery', d.id, d.ws, s.ws FROM delivery_app AS d"
    " JOIN studio_app AS s ON s.id = d.id WHERE d.ws <> s.ws",
    "SELECT 'release', r.id, r.ws, o.ws FROM release AS r JOIN owner AS o ON o.app_id = r.app_id"
    " WHERE r.ws <> o.ws",
    "SELECT 'revision', r.id, r.ws, o.ws FROM revision AS r JOIN owner AS o ON o.app_id = r.app_id"
    " WHERE r.ws <> o.ws",
    "SELECT 'entities of app', e.app_id, e.ws, o.ws FROM entity_app AS e"
    " JOIN owner AS o ON o.app_id = e.app_id WHERE e.ws <> o.ws",
    "SELECT 'account', id, ws, id FROM account WHERE ws <> id",
    "SELECT 'workspace', id, ws, id FROM workspace WHERE ws <> id",
    "SELECT 'shelf', id, ws, id FROM shelf WHERE ws <> id",
    "SELECT 'app on shelf', f.app_id, f.id, o.ws FROM shelf AS f"
    " JOIN owner AS o ON o.app_id = f.app_id WHERE f.id <> o.ws",
    "SELECT 'count of app', c.app_id, c.ws, o.ws FROM consumption AS c"
    " JOIN owner AS o ON o.app_id = c.app_id WHERE c.ws <> o.ws",
    "SELECT 'reservation', r.id, r.ws, o.ws FROM reservation AS r"
    " JOIN owner AS o ON o.app_id = r.app_id WHERE r.ws <> o.ws",
    "SELECT 'entry of', e.posting_id, e.ws, t.ws FROM entry AS e"
    " JOIN posting AS t ON t.id = e.posting_id WHERE e.ws <> t.ws",
    "SELECT 'transaction', t.id, t.ws, p.ws FROM posting AS t"
    " JOIN payment AS p ON p.id = t.payment_id WHERE t.ws <> p.ws",
    "SELECT 'payment', p.id, p.ws, c.ws FROM payment AS p"
    " JOIN plan_change AS c ON c.id = p.change_id WHERE p.ws <> c.ws",
    "SELECT 'saga', id, ws, body_ws FROM saga WHERE ws <> body_ws",
    "SELECT 'saga', s.id, s.ws, o.ws FROM saga AS s JOIN owner AS o ON o.app_id = s.app_id"
    " WHERE s.ws <> o.ws AND s.ws = s.body_ws",
    "SELECT kind || ' ' || type, coalesce(id, topic || '@' || off), body_ws, ws FROM record"
    " WHERE ws <> body_ws",
    "SELECT 'outbox row ' || type, id, body_ws, ws FROM outbox WHERE ws <> body_ws",
    "SELECT 'fact ' || r.type, r.id, r.ws, o.ws FROM record AS r"
    f" JOIN owner AS o ON o.app_id = r.key WHERE r.topic IN ({_APP_TOPICS})"
    " AND r.ws <> o.ws AND r.ws IS coalesce(r.body_ws, r.ws)",
    "SELECT 'fact ' || type, id, ws, key FROM record"
    f" WHERE topic IN ({_WORKSPACE_TOPICS}) AND ws <> key AND ws IS coalesce(body_ws, ws)",
    "SELECT 'files of bundle', b.bundle, b.ws, NULL FROM bundle_file AS b WHERE NOT EXISTS"
    " (SELECT 1 FROM release AS r JOIN owner AS o ON o.app_id = r.app_id"
    " WHERE r.bundle = b.bundle AND o.ws = b.ws)",
)
FEED = (
    "SELECT 'feed entry', f.id, f.ws, coalesce(r.ws, r.body_ws) FROM feed AS f"
    " JOIN record AS r ON r.id = f.id WHERE f.ws IS NOT coalesce(r.ws, r.body_ws)",
)
BODIES = (
    "SELECT 'content', id, substr(id, 1, 36), NULL FROM content WHERE collection = 'revisions'"
    " AND substr(id, 1, 36) NOT IN (SELECT ws FROM known)",
    "SELECT 'bundles of', ws, ws, NULL FROM blob WHERE state = 'folder'"
    " AND ws NOT IN (SELECT ws FROM known)",
)


@invariant("foreign_workspace", *EVERY_SERVICE, "kafka", "mongo", "blobs")
def foreign_workspace(evidence: Evidence, limits: Limits) -> Outcome:
    """Nothing has the id of another workspace than its owner's: no row, no saga, no record (its
    header, its body and the owner of its key agree), no feed entry, no content in MongoDB and no
    folder of bundles of a workspace that nobody knows. An app belongs to the workspace that its row
    in studio says, or else the one in delivery."""
    if evidence.once("owner"):
        evidence.change(OWNER)
        evidence.change("DELETE FROM owner")
        evidence.change(FILL)
        evidence.change("CREATE TEMP TABLE IF NOT EXISTS known (ws PRIMARY KEY)")
        evidence.change("DELETE FROM known")
        evidence.change(
            "INSERT OR IGNORE INTO known SELECT id FROM workspace UNION SELECT id FROM account"
            " UNION SELECT ws FROM studio_app UNION SELECT id FROM shelf"
        )
    outcome = Outcome(
        {
            "workspaces": evidence.number("SELECT count(*) FROM known"),
            "apps": evidence.number("SELECT count(*) FROM owner"),
            "records": evidence.count("record"),
            "feed entries": evidence.count("feed"),
            "contents": evidence.count("content"),
        }
    )
    for question in (*QUESTIONS, *FEED, *BODIES):
        for what, name, said, owner in evidence.ask(f"{question} LIMIT {SUSPICIONS_MAX}"):
            whose = f"belongs to {owner}" if owner else "nobody there owns it"
            outcome.find(f"{what} {name}", f"{what} {name} is of workspace {said}, {whose}")
    return outcome
