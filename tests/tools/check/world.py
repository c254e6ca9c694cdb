"""A small sound world: two workspaces that published an app each, one publish that was refused,
and one that is under way. Rows by hand, in databases that `chassis.provision` made."""

import hashlib
import json
import zlib
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.tools.check.messages import Fields, Message, Script, named
from tools.basalt.check.ids import command_id

STEPS = (
    ("cmd.billing.v1", "billing.ReserveQuota.v1", "billing.QuotaReserved.v1"),
    ("cmd.studio.v1", "studio.FreezeRevision.v1", "studio.RevisionFrozen.v1"),
    ("cmd.delivery.v1", "delivery.StageRelease.v1", "delivery.ReleaseStaged.v1"),
    ("cmd.delivery.v1", "delivery.SwitchLivePointer.v1", "delivery.ReleasePublished.v1"),
    ("cmd.billing.v1", "billing.CommitQuota.v1", "billing.QuotaCommitted.v1"),
    ("cmd.studio.v1", "studio.TagRevision.v1", "studio.RevisionTagged.v1"),
)
REPLIES = "reply.orchestrator.v1"
SAGAS = "orchestrator.saga.v1"


@dataclass(frozen=True)
class Row:
    """A row to insert; values that are dicts go in as JSON."""

    service: str
    table: str
    values: Fields


@dataclass
class Tenant:
    """A workspace with one app that is live."""

    name: str

    def __getattr__(self, what: str) -> UUID:
        if what.startswith("__"):
            raise AttributeError(what)
        return named(self.name, what)


@dataclass
class World:
    """Everything that is to be written."""

    script: Script = field(default_factory=Script)
    rows: list[Row] = field(default_factory=list)
    contents: dict[str, dict[str, bytes]] = field(default_factory=dict)  # collection -> id -> body
    blobs: dict[str, bytes] = field(default_factory=dict)  # path -> body
    feed_without: set[UUID] = field(default_factory=set)  # facts that the feed lacks
    inbox_without: set[UUID] = field(default_factory=set)  # messages that no inbox has

    def row(self, service: str, table: str, **values: Any) -> None:
        self.rows.append(Row(service, table, values))

    def aggregate(
        self,
        service: str,
        table: str,
        key: UUID,
        ws: UUID | None,
        version: int,
        state: Fields,
        **columns: Any,
    ) -> None:
        """A row with the columns that every aggregate has."""
        self.row(
            service, table, id=key, workspace_id=ws, revision=version, version=version,
            state=state, **columns,
        )  # fmt: skip


def sound_world() -> World:
    """No invariant is violated, looked at while it runs."""
    world = World()
    for tenant in (Tenant("a"), Tenant("b")):
        _people(world, tenant)
        _app(world, tenant)
        _release(world, tenant)
        _published(world, tenant)
    _refused(world, Tenant("a"))
    _under_way(world, Tenant("b"))
    return world


def _people(world: World, at: Tenant) -> None:
    fact = world.script.fact
    fact("identity.UserRegistered.v1", "identity.user.v1", at.user, 1, None, user_id=at.user)
    for number, wire_type in enumerate(("WorkspaceCreated", "WorkspaceActivated"), 1):
        fact(f"identity.{wire_type}.v1", "identity.workspace.v1", at.ws, number, at.ws)
    world.aggregate("identity", "registered_user", at.user, None, 1, {}, email=f"{at.name}@x.org")
    world.aggregate(
        "identity", "workspace", at.ws, at.ws, 2, {"state": "active", "members": {}},
        created_at="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    topic = "billing.account.v1"
    fact("billing.AccountOpened.v1", topic, at.ws, 1, at.ws)
    fact("billing.EntitlementsChanged.v1", topic, at.ws, 2, at.ws)
    fact("billing.QuotaReserved.v1", topic, at.ws, 3, at.ws, reservation_id=at.reservation)
    fact("billing.QuotaCommitted.v1", topic, at.ws, 4, at.ws, reservation_id=at.reservation)
    state = {
        "state": "open",
        "reservations": {},
        "apps": {str(at.app): {"units": 1, "pointer_version": 1}},
    }
    world.aggregate("billing", "account", at.ws, at.ws, 4, state)


def _app(world: World, at: Tenant) -> None:
    fact, topic = world.script.fact, "studio.app.v1"
    fact("studio.AppCreated.v1", topic, at.app, 1, at.ws, app_id=at.app)
    fact("studio.RevisionFrozen.v1", topic, at.app, 2, at.ws, release_id=at.release)
    fact("studio.RevisionTagged.v1", topic, at.app, 3, at.ws, release_id=at.release)
    plain = f"the page of {at.name}".encode()
    pack = hashlib.sha256(plain).hexdigest()
    manifest = json.dumps({"sections": [{"name": "app", "packs": [pack], "files": 1}]}).encode()
    digest = hashlib.sha256(manifest).hexdigest()
    world.contents.setdefault("revisions", {})[f"{at.ws}:{digest}"] = manifest
    world.contents.setdefault("packs", {})[f"{at.ws}:{pack}"] = zlib.compress(plain)
    when = "2026-01-01T00:00:00+00:00"
    state = {"head_digest": digest, "freezes": {}}
    world.aggregate(
        "studio", "app", at.app, at.ws, 3, state,
        lifecycle="active", app_name=at.name, created_at=when,
    )  # fmt: skip
    world.aggregate(
        "studio", "app_revision", at.revision, at.ws, 0, {"digest": digest},
        app_id=at.app, number=1,
    )  # fmt: skip
    world.aggregate("studio", "shelf", at.ws, at.ws, 0, {"app_ids": [str(at.app)]})
    world.row(
        "studio", "entity", app_id=at.app, entity_id="page", workspace_id=at.ws, kind="page",
        name="Page", page="Page", parent_id="", path="p", digest="d", entity_version=1, fields={},
    )  # fmt: skip


def _release(world: World, at: Tenant) -> None:
    fact, topic = world.script.fact, "delivery.release.v1"
    fact("delivery.ReleaseStaged.v1", topic, at.app, 1, at.ws, release_id=at.release)
    fact("delivery.ReleasePublished.v1", topic, at.app, 2, at.ws, release_id=at.release)
    pack = f"the files of {at.name}".encode()
    part = {"digest": hashlib.sha256(pack).hexdigest(), "size": len(pack), "files": []}
    document = json.dumps({"public": part, "private": {"size": 0}}).encode()
    bundle = hashlib.sha256(document).hexdigest()
    world.blobs[f"{at.ws}/{part['digest']}"] = pack
    world.blobs[f"{at.ws}/{bundle}"] = document
    pointers = {"production": {"release_id": str(at.release), "version": 1}}
    world.aggregate("delivery", "app", at.app, at.ws, 2, {"pointers": pointers})
    world.aggregate(
        "delivery", "release", at.release, at.ws, 0, {}, app_id=at.app, environment="production",
        number=1, standing="live", bundle_digest=bundle,
    )  # fmt: skip
    world.row(
        "delivery", "bundle_file", workspace_id=at.ws, bundle_digest=bundle, path="index.html",
        digest="d", size=1, start=0, content_type="text/html",
    )  # fmt: skip


def command(saga: UUID, index: int, at: Tenant, answer: str = "") -> Message:
    """The command of a publish's step."""
    topic, wire_type, answered = STEPS[index]
    key = at.ws if topic == "cmd.billing.v1" else at.app
    return Message(
        topic, wire_type, str(key), {"workspace_id": at.ws}, command_id(saga, index, 0, 0), at.ws,
        corr=saga, reply_to=REPLIES, answer=answer or answered,
    )  # fmt: skip


def exchange(world: World, saga: UUID, index: int, at: Tenant, answer: str = "") -> None:
    asked = command(saga, index, at, answer)
    world.script.messages.append(asked)
    world.script.messages.append(
        Message(
            REPLIES,
            asked.answer,
            str(saga),
            {"workspace_id": at.ws},
            named("reply", asked.id),
            at.ws,
            cause=asked.id,
            corr=saga,
        )
    )


def _saga(
    world: World,
    saga: UUID,
    at: Tenant,
    status: str,
    marks: list[str],
    story: list[str],
    what: Fields,
) -> None:
    """The saga's row and its history, and its facts: a start, and an end when it has one."""
    ended = status in ("COMPLETED", "COMPENSATED")
    facts = ["SagaStarted", f"Saga{status.capitalize()}"] if ended else ["SagaStarted"]
    for number, name in enumerate(facts, 1):
        world.script.fact(f"orchestrator.{name}.v1", SAGAS, saga, number, at.ws)
    state = {
        "data": {"workspace_id": str(at.ws), **what},
        "steps": [[mark, int(mark != "pending")] for mark in marks],
        "facts": len(facts),
    }
    backward = status == "COMPENSATED"
    world.row(
        "orchestrator", "saga_instance", id=saga, type="publish_app", definition_version=1,
        workspace_id=at.ws, status=status, phase="BACKWARD" if backward else "FORWARD", cursor=0,
        version=len(story), shard=0, next_wake_at=None if ended else "soon",
        deadline_at="later", business_key=str(at.app), started_at="now", updated_at="now",
        state=state,
    )  # fmt: skip
    for version, happened in enumerate(story, 1):
        world.row(
            "orchestrator", "saga_event", saga_id=saga, version=version, at="now",
            happened=happened, step="", reason="",
        )  # fmt: skip


def _published(world: World, at: Tenant) -> None:
    for index in range(len(STEPS)):
        exchange(world, at.saga, index, at)
    what = {
        "app_id": str(at.app),
        "reservation_id": str(at.reservation),
        "release_id": str(at.release),
    }
    story = ["started"] + ["step_done"] * len(STEPS)
    _saga(world, at.saga, at, "COMPLETED", ["done"] * len(STEPS), story, what)


def _refused(world: World, at: Tenant) -> None:
    """Another publish, for which there was no quota."""
    exchange(world, at.refused, 0, at, "billing.QuotaExceeded.v1")
    what = {"app_id": str(at.app), "reservation_id": str(at.refused_reservation)}
    marks = ["rejected"] + ["pending"] * (len(STEPS) - 1)
    _saga(world, at.refused, at, "COMPENSATED", marks, ["started", "step_rejected"], what)


def _under_way(world: World, at: Tenant) -> None:
    """Its first command is still in the outbox, and it holds the app's lock."""
    marks = ["sent"] + ["pending"] * (len(STEPS) - 1)
    what = {"app_id": str(at.app), "reservation_id": str(at.open_reservation)}
    _saga(world, at.open_saga, at, "RUNNING", marks, ["started"], what)
    world.row("orchestrator", "entity_lock", key=f"app_id:{at.app}", queue=[at.open_saga])
    waiting = command(at.open_saga, 0, at)
    world.row(
        "orchestrator", "outbox", id=waiting.id, aggregatetype="cmd.billing",
        aggregateid=waiting.key, type=waiting.type, topic=waiting.topic,
        headers=json.dumps(waiting.headers()), payload=waiting.body, shard=0,
    )  # fmt: skip
