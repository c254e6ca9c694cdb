"""`basalt check` on a simulated platform: the same invariants, asked of the simulated stores.

What a copy's query reads on PostgreSQL is read here from the rows as they lie; how records,
inboxes, outboxes and sagas are understood is the checker's own code.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from chassis.testing.simulation.checker import Violation, json_of
from tools.basalt.check.evidence import Evidence, Row
from tools.basalt.check.gather_postgres import CONVERT
from tools.basalt.check.gather_topics import _letter, _record, kind_of
from tools.basalt.check.invariants import INVARIANTS
from tools.basalt.check.layout import AGGREGATES, SAGA_TOPIC
from tools.basalt.check.settings import Limits

if TYPE_CHECKING:
    from tests.simulation.real.world import RealWorld

LIMITS = Limits(at_rest=True, overdue_s=0.0)
Rows = list[dict[str, Any]]  # a simulated table's


def found_wrong(world: "RealWorld") -> Iterator[Violation]:
    """What the invariants of `basalt check` find."""
    with Evidence() as evidence:
        gather(evidence, world)
        for name, invariant in INVARIANTS.items():
            for finding in invariant.check(evidence, LIMITS).findings:
                yield Violation(name, finding.text)


def gather(evidence: Evidence, world: "RealWorld") -> None:
    """Fill every table that an invariant asks."""
    _messages(evidence, world)
    _chassis(evidence, world)
    _sagas(evidence, world)
    for table, rows in _of_services(world):
        evidence.add(table, [tuple(map(_plain, row)) for row in rows])
    for table, rows in _bodies(world):
        evidence.add(table, rows)


def _plain(value: Any) -> Any:  # as SQLite takes it
    return str(value) if isinstance(value, UUID) else value


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _messages(evidence: Evidence, world: "RealWorld") -> None:
    for place, log in world.kafka.logs.items():
        kind = kind_of(place.topic)
        if kind == "letter":
            evidence.add("letter", [_letter(place.topic, record) for record in log])
        else:
            evidence.add("record", [_record(kind, record) for record in log])
        evidence.add("topic", [(place.topic, kind, place.partition, 0, 0, len(log))])
    for name, group in world.kafka.groups.items():
        evidence.add(
            "committed",
            [(name, at.topic, at.partition, offset) for at, offset in group.committed.items()],
        )


def _chassis(evidence: Evidence, world: "RealWorld") -> None:
    """What each service has: outbox, inbox, parked and pending."""
    for service, server in world.servers.items():
        rows: list[Any] = [
            (r["consumer_group"], r["message_id"], r["reply_type"], _ms(r["at"]))
            for r in server.rows("inbox")
        ]
        evidence.add("inbox", [row for _, row in CONVERT["inbox"](rows, service)])
        rows = [
            (r["id"], r["topic"], r["aggregateid"], r["type"], 1.0, r["headers"], r["payload"])
            for r in server.rows("outbox")
        ]
        evidence.add("outbox", [row for _, row in CONVERT["outbox"](rows, service)])
        evidence.add(
            "parked",
            [
                (
                    *(r["consumer_group"], str(r["message_id"]), r["topic"], r["partition"]),
                    *(r["offset"], r["sent_ms"], r["state"]),
                )
                for r in server.rows("dead_letter")
            ],
        )
        evidence.add(
            "pending",
            [(r["consumer_group"], str(r["message_id"])) for r in server.rows("pending_reply")],
        )


def _sagas(evidence: Evidence, world: "RealWorld") -> None:
    stories: dict[UUID, Rows] = defaultdict(list)
    for event in world.rows("orchestrator", "saga_event"):
        stories[event["saga_id"]].append(event)
    told: list[Any] = []
    for row in world.rows("orchestrator", "saga_instance"):
        due = None if row["next_wake_at"] is None else 1.0
        state = row["state"] if isinstance(row["state"], str) else json.dumps(row["state"])
        told.append(
            (
                *(row["id"], row["type"], row["workspace_id"], row["status"], row["phase"]),
                *(row["version"], due, 0.0, _ms(row["started_at"]), row["cursor"], state),
            )
        )
        events = sorted(stories[row["id"]], key=lambda event: event["version"])
        versions = [event["version"] for event in events] or [None]
        story = " ".join(event["happened"] for event in events)
        history = (str(row["id"]), len(events), versions[0], versions[-1], row["version"])
        evidence.add("history", [(*history, story, row["status"])])
        about = ("orchestrator", "saga_instance", SAGA_TOPIC, str(row["id"]))
        facts = json_of(state)["facts"]
        evidence.add("aggregate", [(*about, _plain(row["workspace_id"]), facts, 1)])
    for table, found in CONVERT["saga"](told, "orchestrator"):
        evidence.add(table, [found])
    for row in world.rows("orchestrator", "entity_lock"):
        queue = enumerate(row["queue"], 1)
        evidence.add("lock", [(row["key"], place, str(saga)) for place, saga in queue])


def _of_services(world: "RealWorld") -> Iterator[tuple[str, list[Row]]]:
    for each in AGGREGATES:
        about = (each.service, each.table, each.topic)
        yield (
            "aggregate",
            [
                (*about, r["id"], r["workspace_id"], r["version"], int(each.mortal))
                for r in world.rows(each.service, each.table)
            ],
        )
    yield from _of_billing(world)
    yield from _of_studio(world)
    yield from _of_delivery(world)
    workspaces = _states(world, "identity", "workspace")
    yield "workspace", [(r["id"], r["workspace_id"], s["state"]) for r, s in workspaces]
    yield "hold", [("hold of seats", hold, r["id"]) for r, s in workspaces for hold in s["holds"]]


def _states(world: "RealWorld", service: str, table: str) -> list[tuple[Any, Any]]:
    return [(row, json_of(row["state"])) for row in world.rows(service, table)]


def _of_billing(world: "RealWorld") -> Iterator[tuple[str, list[Row]]]:
    accounts = _states(world, "billing", "account")
    yield "account", [(r["id"], r["workspace_id"], s["state"]) for r, s in accounts]
    yield (
        "reservation",
        [
            (r["id"], key, held["app_id"], held["units"])
            for r, s in accounts
            for key, held in s["reservations"].items()
        ],
    )
    yield (
        "consumption",
        [
            (r["id"], key, app["units"], app["pointer_version"])
            for r, s in accounts
            for key, app in s["apps"].items()
        ],
    )
    credit = [(r["id"], name, kept) for r, s in accounts for name, kept in s["credit"].items()]
    yield "credit", credit
    columns = ("transaction_id", "workspace_id", "kind", "change_id", "payment_id", "entries")
    posted = world.rows("billing", "billing_transaction")
    yield "posting", [tuple(r[name] for name in columns) for r in posted]
    columns = ("transaction_id", "workspace_id", "account", "currency", "amount_minor")
    entries = world.rows("billing", "billing_entry")
    yield "entry", [tuple(r[name] for name in columns) for r in entries]
    changes = _states(world, "billing", "plan_change")
    yield "plan_change", [(r["id"], r["workspace_id"], s["state"]) for r, s in changes]
    yield (
        "payment",
        [
            (
                *(r["id"], r["workspace_id"], s["change_id"], s["state"]),
                *(s["amount_minor"], s["currency"]),
            )
            for r, s in _states(world, "billing", "payment")
        ],
    )


def _of_studio(world: "RealWorld") -> Iterator[tuple[str, list[Row]]]:
    apps, shelves = _states(world, "studio", "app"), _states(world, "studio", "shelf")
    yield "studio_app", [(r["id"], r["workspace_id"], s["head_digest"]) for r, s in apps]
    yield "freeze", [(r["workspace_id"], r["id"], key) for r, s in apps for key in s["freezes"]]
    yield (
        "revision",
        [
            (r["id"], r["workspace_id"], r["app_id"], s["digest"])
            for r, s in _states(world, "studio", "app_revision")
        ],
    )
    yield (
        "shelf",
        [(r["id"], r["workspace_id"], app) for r, s in shelves for app in s["app_ids"] or [None]],
    )
    yield "hold", [("hold of apps", hold, r["id"]) for r, s in shelves for hold in s["holds"]]
    entities: dict[tuple[UUID, UUID], int] = defaultdict(int)
    for row in world.rows("studio", "entity"):
        entities[row["app_id"], row["workspace_id"]] += 1
    yield "entity_app", [(*key, count) for key, count in entities.items()]


def _of_delivery(world: "RealWorld") -> Iterator[tuple[str, list[Row]]]:
    apps = _states(world, "delivery", "app")
    yield "delivery_app", [(r["id"], r["workspace_id"]) for r, _ in apps]
    yield (
        "pointer",
        [
            (r["workspace_id"], r["id"], environment, at["release_id"], at["version"])
            for r, s in apps
            for environment, at in s["pointers"].items()
        ],
    )
    columns = ("id", "app_id", "workspace_id", "environment", "standing", "bundle_digest")
    yield "release", [tuple(r[n] for n in columns) for r in world.rows("delivery", "release")]
    files = world.rows("delivery", "bundle_file")
    yield "bundle_file", list({(r["workspace_id"], r["bundle_digest"]): None for r in files})


def _bodies(world: "RealWorld") -> Iterator[tuple[str, list[Row]]]:
    documents, blobs = world.outlives.documents, world.outlives.blobs
    fields = ("workspace_id", "type", "subject", "aggregate_version")
    feed = documents["activity"]["feed"].values()
    yield "feed", [(each["_id"], *(each.get(name) for name in fields)) for each in feed]
    revisions = documents["studio"]["revisions"]
    yield "content", [("revisions", name, "listed", None) for name in revisions]
    packs = documents["studio"]["packs"]
    for name, manifest in revisions.items():
        workspace, _, digest = str(name).partition(":")
        sound = hashlib.sha256(manifest["body"]).hexdigest() == digest
        yield "content", [("manifest", name, "ok" if sound else "corrupt", None)]
        named = [p for each in json.loads(manifest["body"])["sections"] for p in each["packs"]]
        lost = [pack for pack in named if f"{workspace}:{pack}" not in packs]
        yield "content", [("packs", pack, "missing", name) for pack in lost]
    live = {
        (row["workspace_id"], row["bundle_digest"])
        for row in world.rows("delivery", "release")
        if row["standing"] == "live"
    }
    yield "blob", [(str(ws), digest, _bundle(blobs, ws, digest)) for ws, digest in sorted(live)]
    yield "blob", [(str(workspace), "", "folder") for workspace in {key[0] for key in blobs}]


def _bundle(blobs: dict[tuple[UUID, str], bytes], workspace: UUID, digest: str) -> str:
    document = blobs.get((workspace, digest))
    if document is None or hashlib.sha256(document).hexdigest() != digest:
        return "its document is missing or corrupt"
    for name in ("public", "private"):
        part = json.loads(document).get(name, {})
        pack = blobs.get((workspace, part.get("digest", "")), b"")
        if part.get("size") and hashlib.sha256(pack).hexdigest() != part["digest"]:
            return f"its {name} pack is missing or corrupt"
    return "ok"
