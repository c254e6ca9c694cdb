"""The kinds of damage, each with the name under which it must be told."""

import json
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from tests.tools.check.messages import Message, named
from tests.tools.check.stores import Stores, feed_entry
from tests.tools.check.world import STEPS, Tenant, World, _exchange, command

A, B = Tenant("a"), Tenant("b")
STRANGER = named("stranger")
Before = Callable[[World], None]
After = Callable[[Stores], Awaitable[None]]


def _nothing(world: World) -> None:
    pass


async def _nothing_more(stores: Stores) -> None:
    pass


@dataclass(frozen=True)
class Case:
    """Damage: `before` to the world as it is written, `after` to the stores."""

    name: str
    what: str
    before: Before = _nothing
    after: After = _nothing_more
    at_rest: bool = False


def sql(service: str, *statements: str) -> After:
    """Damage by SQL."""

    async def plant(stores: Stores) -> None:
        await stores.run(service, *statements)

    return plant


def version(world: World, table: str, key: object, number: int) -> None:
    """Another number of announced facts in an aggregate's row."""
    for place, row in enumerate(world.rows):
        if row.table == table and row.values.get("id") == key:
            world.rows[place] = replace(row, values={**row.values, "version": number})


# --- facts


def _last_fact_lost(world: World) -> None:
    world.script.drop(world.script.find("billing.QuotaCommitted.v1", A.ws))


def _fact_in_the_middle_lost(world: World) -> None:
    world.script.drop(world.script.find("billing.EntitlementsChanged.v1", A.ws))


def _facts_swapped(world: World) -> None:
    late = world.script.find("billing.EntitlementsChanged.v1", A.ws)
    world.script.drop(late)
    world.script.messages.append(late)


def _extra(world: World, number: int) -> Message:
    like = world.script.find("billing.QuotaCommitted.v1", A.ws)
    name = named("extra", number)
    return replace(
        like, id=name, version=number, type="billing.PlanChanged.v1", cause=named("cause", name)
    )


def _version_twice(world: World) -> None:
    world.script.messages.append(_extra(world, 4))


def _announced_not_committed(world: World) -> None:
    world.script.messages.append(_extra(world, 5))


# --- effects


def _reserved_again(world: World) -> None:
    first = world.script.find("billing.QuotaReserved.v1", str(A.ws))
    again = replace(first, id=named("again"), version=5)
    world.script.messages.append(again)
    version(world, "account", A.ws, 5)


def _published_again_by_another(world: World) -> None:
    first = world.script.find("delivery.ReleasePublished.v1", str(A.app))
    again = replace(first, id=named("again"), version=3, cause=named("another cause"))
    world.script.messages.append(again)
    for place, row in enumerate(world.rows):
        if (row.service, row.table, row.values.get("id")) == ("delivery", "app", A.app):
            world.rows[place] = replace(row, values={**row.values, "version": 3})


def _answered_twice(world: World) -> None:
    cause = command(A.saga, 0, A).id
    first = next(m for m in world.script.messages if m.cause == cause)
    other = replace(first, id=named("other"), type="billing.QuotaExceeded.v1")
    world.script.messages.append(other)


# --- handling


def _answer_never_sent(world: World) -> None:
    cause = command(A.saga, 1, A).id
    world.script.drop(next(m for m in world.script.messages if m.cause == cause))


def _saga_stands_still(world: World) -> None:
    """Its answer was handled, and nothing followed."""
    world.rows = [row for row in world.rows if row.table != "outbox"]
    _exchange(world, B.open_saga, 0, B)


def _parked(state: str, message: str) -> str:
    return (
        'INSERT INTO dead_letter (id, consumer_group, topic, partition, "offset", sent_ms, queue,'
        " headers, message_id, state, reason)"
        f" VALUES ('{STRANGER}', 'billing', 'cmd.billing.v1', 0, 9999, 1, 'q', '[]', '{message}',"
        f" '{state}', 'planted')"
    )


# --- tenancy


def _body_of_another_workspace(world: World) -> None:
    fact = world.script.find("studio.RevisionFrozen.v1", str(A.app))
    world.script.change(fact, data={**fact.data, "workspace_id": str(B.ws)})


def _key_of_another_workspace(world: World) -> None:
    fact = world.script.find("studio.RevisionFrozen.v1", str(A.app))
    world.script.change(fact, ws=B.ws, data={**fact.data, "workspace_id": str(B.ws)})


async def _feed_of_another_workspace(stores: Stores) -> None:
    client = stores.mongo()
    feed = client["activity"]["feed"]
    await feed.update_one({"subject": str(A.app)}, {"$set": {"workspace_id": str(B.ws)}})
    client.close()


async def _content_of_nobody(stores: Stores) -> None:
    client = stores.mongo()
    await client["studio"]["revisions"].insert_one({"_id": f"{STRANGER}:abc", "body": b"x"})
    client.close()


async def _folder_of_nobody(stores: Stores) -> None:
    (stores.folder / str(STRANGER)).mkdir()


# --- feed, bodies, blobs


async def _feed_lacks_one(stores: Stores) -> None:
    client = stores.mongo()
    await client["activity"]["feed"].delete_one({"type": "billing.AccountOpened.v1"})
    client.close()


async def _feed_has_one_twice(stores: Stores) -> None:
    client = stores.mongo()
    feed = client["activity"]["feed"]
    entry = await feed.find_one({"type": "billing.AccountOpened.v1"})
    await feed.insert_one({**entry, "_id": str(STRANGER)})
    client.close()


async def _feed_invents(stores: Stores) -> None:
    invented = Message("t", "studio.AppCreated.v1", "k", {}, STRANGER, A.ws, 1)
    client = stores.mongo()
    await client["activity"]["feed"].insert_one(feed_entry(invented))
    client.close()


def _without(collection: str) -> After:
    async def plant(stores: Stores) -> None:
        client = stores.mongo()
        await client["studio"][collection].delete_one({})
        client.close()

    return plant


def _rewritten(collection: str) -> After:
    async def plant(stores: Stores) -> None:
        client = stores.mongo()
        await client["studio"][collection].update_one({}, {"$set": {"body": b"other"}})
        client.close()

    return plant


async def _no_bundle(stores: Stores) -> None:
    shutil.rmtree(stores.folder / str(A.ws))


async def _bundle_rewritten(stores: Stores) -> None:
    for file in (stores.folder / str(A.ws)).iterdir():
        file.write_bytes(b"other")


_RESERVED = json.dumps({"app_id": str(A.app), "units": 1})
_APP = f"WHERE id = '{A.app}'"
_SAGA = f"WHERE id = '{A.saga}'"


def _reservation(name: object) -> str:
    return (
        "UPDATE account SET state = jsonb_set(state, '{reservations}',"
        f" '{{\"{name}\": {_RESERVED}}}') WHERE id = '{A.ws}'"
    )


def _frozen(release: object) -> str:
    return (
        "UPDATE app SET state = jsonb_set(state, '{freezes}',"
        f' \'{{"{release}": "{A.revision}"}}\') {_APP}'
    )


def _another_release(standing: str) -> str:
    return (
        "INSERT INTO release (id, workspace_id, revision, version, state, app_id, environment,"
        f" number, standing, bundle_digest) SELECT '{STRANGER}', workspace_id, 1, 0, '{{}}',"
        f" app_id, environment, 2, '{standing}', bundle_digest FROM release"
        f" WHERE id = '{A.release}'"
    )


_POINT_ELSEWHERE = (
    "UPDATE app SET state = jsonb_set(state, '{pointers,production,release_id}',"
    f" '\"{STRANGER}\"') {_APP}"
)
_MARK = "UPDATE saga_instance SET state = jsonb_set(state::jsonb, '{steps,2,0}', '\"sent\"')"
_TAKES_RELEASE = (
    "UPDATE saga_instance SET state = jsonb_set(state::jsonb, '{data,release_id}',"
    f" '\"{A.release}\"') WHERE id = '{A.refused}'"
)
_LOCK = "INSERT INTO entity_lock (key, queue) VALUES"
_INBOX = "INSERT INTO inbox (consumer_group, message_id) VALUES"
_OPEN = f"WHERE id = '{B.open_saga}'"

CASES = (
    Case("lost_event", "last fact of an aggregate", _last_fact_lost),
    Case(
        "lost_event",
        "outbox row left lying",
        after=sql("orchestrator", "UPDATE outbox SET created_at = now() - interval '1 hour'"),
    ),
    Case("version_gap", "fact in the middle", _fact_in_the_middle_lost),
    Case("version_order", "two facts swapped", _facts_swapped),
    Case("version_order", "one version twice", _version_twice),
    Case("unfounded_event", "announced, not committed", _announced_not_committed),
    Case("doubled_effect", "a reservation made twice", _reserved_again),
    Case("doubled_effect", "a release published twice", _published_again_by_another),
    Case("doubled_effect", "two answers to a command", _answered_twice),
    Case(
        "unhandled_message",
        "inbox row gone",
        after=sql("studio", f"DELETE FROM inbox WHERE message_id = '{command(A.saga, 1, A).id}'"),
    ),
    Case("lost_outbox_row", "awaited command", after=sql("orchestrator", "DELETE FROM outbox")),
    Case("lost_outbox_row", "answer of a participant", _answer_never_sent),
    Case(
        "lost_outbox_row",
        "answer that was to follow",
        after=sql(
            "billing",
            "INSERT INTO inbox (consumer_group, message_id, reply_type)"
            f" VALUES ('billing', '{STRANGER}', 'chassis.Pending.v1')",
        ),
    ),
    Case(
        "accounting",
        "handled, never published",
        after=sql("billing", f"{_INBOX} ('billing', '{STRANGER}')"),
    ),
    Case(
        "accounting",
        "handled and parked",
        after=sql("billing", _parked("failed", str(command(A.saga, 0, A).id))),
    ),
    Case(
        "saga_without_wake_up",
        "the row is the wake-up",
        after=sql(
            "orchestrator",
            "ALTER TABLE saga_instance DROP CONSTRAINT IF EXISTS open_has_wake_up",
            f"UPDATE saga_instance SET next_wake_at = NULL {_OPEN}",
        ),
    ),
    Case(
        "saga_overdue",
        "nobody woke it",
        after=sql(
            "orchestrator",
            f"UPDATE saga_instance SET next_wake_at = now() - interval '5 minutes' {_OPEN}",
        ),
    ),
    Case("saga_unfinished", "stands still", _saga_stands_still, at_rest=True),
    Case(
        "saga_illegal_transition",
        "a line is missing",
        after=sql(
            "orchestrator",
            f"DELETE FROM saga_event WHERE version = 3 AND saga_id = '{A.saga}'",
        ),
    ),
    Case(
        "saga_illegal_transition",
        "undone before it turned",
        after=sql(
            "orchestrator",
            "UPDATE saga_event SET happened = 'step_undone' WHERE version = 3"
            f" AND saga_id = '{A.saga}'",
        ),
    ),
    Case("saga_outcome", "completed, a step open", after=sql("orchestrator", f"{_MARK} {_SAGA}")),
    Case("saga_outcome", "undone, its release live", after=sql("orchestrator", _TAKES_RELEASE)),
    Case(
        "saga_ended_with_residue",
        "reservation",
        after=sql("billing", _reservation(A.refused_reservation)),
    ),
    Case("saga_ended_with_residue", "freeze", after=sql("studio", _frozen(A.release))),
    Case(
        "saga_ended_with_residue",
        "lock of an ended saga",
        after=sql("orchestrator", f"{_LOCK} ('app_id:{A.app}', ARRAY['{A.saga}'::uuid])"),
    ),
    Case("orphan_reservation", "reservation", after=sql("billing", _reservation(STRANGER))),
    Case("orphan_reservation", "freeze", after=sql("studio", _frozen(STRANGER))),
    Case("orphan_reservation", "staged release", after=sql("delivery", _another_release("staged"))),
    Case(
        "orphan_lock",
        "of nobody",
        after=sql("orchestrator", f"{_LOCK} ('app_id:{A.app}', ARRAY['{STRANGER}'::uuid])"),
    ),
    Case("lock_not_held", "lock gone", after=sql("orchestrator", "DELETE FROM entity_lock")),
    Case(
        "pointer",
        "to an abandoned release",
        after=sql("delivery", _another_release("abandoned"), _POINT_ELSEWHERE),
    ),
    Case("pointer", "to nothing", after=sql("delivery", _POINT_ELSEWHERE)),
    Case("pointer", "two live releases", after=sql("delivery", _another_release("live"))),
    Case("pointer", "bundle rewritten", after=_bundle_rewritten),
    Case("pointer", "bundle gone", after=_no_bundle),
    Case(
        "quota_mismatch",
        "live and not counted",
        after=sql(
            "billing",
            f"UPDATE account SET state = jsonb_set(state, '{{apps}}', '{{}}') WHERE id = '{A.ws}'",
        ),
    ),
    Case(
        "foreign_workspace",
        "release",
        after=sql(
            "delivery", f"UPDATE release SET workspace_id = '{B.ws}' WHERE id = '{A.release}'"
        ),
    ),
    Case(
        "foreign_workspace",
        "entity",
        after=sql("studio", f"UPDATE entity SET workspace_id = '{B.ws}' WHERE app_id = '{A.app}'"),
    ),
    Case(
        "foreign_workspace",
        "saga",
        after=sql("orchestrator", f"UPDATE saga_instance SET workspace_id = '{B.ws}' {_SAGA}"),
    ),
    Case("foreign_workspace", "body of a fact", _body_of_another_workspace),
    Case("foreign_workspace", "fact of another's app", _key_of_another_workspace),
    Case("foreign_workspace", "feed entry", after=_feed_of_another_workspace),
    Case("foreign_workspace", "content of nobody", after=_content_of_nobody),
    Case("foreign_workspace", "bundles of nobody", after=_folder_of_nobody),
    Case("feed", "lacks a fact", after=_feed_lacks_one),
    Case("feed", "has a fact twice", after=_feed_has_one_twice),
    Case("feed", "invents one", after=_feed_invents),
    Case("bodies", "manifest gone", after=_without("revisions")),
    Case("bodies", "pack gone", after=_without("packs")),
    Case("bodies", "manifest rewritten", after=_rewritten("revisions")),
    Case("bodies", "pack rewritten", after=_rewritten("packs")),
)

assert len(STEPS) == 6, "the cases name steps by their place"
