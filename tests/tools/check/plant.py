"""How damage is planted: into a world before it is written, or into the stores afterwards."""

import json
import shutil
from dataclasses import replace

from tests.tools.check.case import STRANGER, A, After, B, sql
from tests.tools.check.messages import Message, named
from tests.tools.check.stores import Stores, feed_entry
from tests.tools.check.world import World, command, exchange


def version(world: World, table: str, key: object, number: int) -> None:
    """Another number of announced facts in an aggregate's row."""
    for place, row in enumerate(world.rows):
        if row.table == table and row.values.get("id") == key:
            world.rows[place] = replace(row, values={**row.values, "version": number})


# --- facts


def last_fact_lost(world: World) -> None:
    world.script.drop(world.script.find("billing.QuotaCommitted.v1", A.ws))


def fact_in_the_middle_lost(world: World) -> None:
    world.script.drop(world.script.find("billing.EntitlementsChanged.v1", A.ws))


def facts_swapped(world: World) -> None:
    late = world.script.find("billing.EntitlementsChanged.v1", A.ws)
    world.script.drop(late)
    world.script.messages.append(late)


def extra(world: World, number: int) -> Message:
    like = world.script.find("billing.QuotaCommitted.v1", A.ws)
    name = named("extra", number)
    return replace(
        like, id=name, version=number, type="billing.PlanChanged.v1", cause=named("cause", name)
    )


def version_twice(world: World) -> None:
    world.script.messages.append(extra(world, 4))


def announced_not_committed(world: World) -> None:
    world.script.messages.append(extra(world, 5))


# --- effects


def reserved_again(world: World) -> None:
    first = world.script.find("billing.QuotaReserved.v1", str(A.ws))
    again = replace(first, id=named("again"), version=5)
    world.script.messages.append(again)
    version(world, "account", A.ws, 5)


def published_again_by_another(world: World) -> None:
    first = world.script.find("delivery.ReleasePublished.v1", str(A.app))
    again = replace(first, id=named("again"), version=3, cause=named("another cause"))
    world.script.messages.append(again)
    for place, row in enumerate(world.rows):
        if (row.service, row.table, row.values.get("id")) == ("delivery", "app", A.app):
            world.rows[place] = replace(row, values={**row.values, "version": 3})


def answered_twice(world: World) -> None:
    cause = command(A.saga, 0, A).id
    first = next(m for m in world.script.messages if m.cause == cause)
    other = replace(first, id=named("other"), type="billing.QuotaExceeded.v1")
    world.script.messages.append(other)


# --- handling


def answer_never_sent(world: World) -> None:
    cause = command(A.saga, 1, A).id
    world.script.drop(next(m for m in world.script.messages if m.cause == cause))


def saga_stands_still(world: World) -> None:
    """Its answer was handled, and nothing followed."""
    world.rows = [row for row in world.rows if row.table != "outbox"]
    exchange(world, B.open_saga, 0, B)


def parked(state: str, message: str) -> str:
    return (
        'INSERT INTO dead_letter (id, consumer_group, topic, partition, "offset", sent_ms, queue,'
        " headers, message_id, state, reason)"
        f" VALUES ('{STRANGER}', 'billing', 'cmd.billing.v1', 0, 9999, 1, 'q', '[]', '{message}',"
        f" '{state}', 'planted')"
    )


# --- tenancy


def body_of_another_workspace(world: World) -> None:
    fact = world.script.find("studio.RevisionFrozen.v1", str(A.app))
    world.script.change(fact, data={**fact.data, "workspace_id": str(B.ws)})


def key_of_another_workspace(world: World) -> None:
    fact = world.script.find("studio.RevisionFrozen.v1", str(A.app))
    world.script.change(fact, ws=B.ws, data={**fact.data, "workspace_id": str(B.ws)})


async def feed_of_another_workspace(stores: Stores) -> None:
    client = stores.mongo()
    feed = client["activity"]["feed"]
    await feed.update_one({"subject": str(A.app)}, {"$set": {"workspace_id": str(B.ws)}})
    client.close()


async def content_of_nobody(stores: Stores) -> None:
    client = stores.mongo()
    await client["studio"]["revisions"].insert_one({"_id": f"{STRANGER}:abc", "body": b"x"})
    client.close()


async def folder_of_nobody(stores: Stores) -> None:
    (stores.folder / str(STRANGER)).mkdir()


# --- feed, bodies, blobs


async def feed_lacks_one(stores: Stores) -> None:
    client = stores.mongo()
    await client["activity"]["feed"].delete_one({"type": "billing.AccountOpened.v1"})
    client.close()


async def feed_has_one_twice(stores: Stores) -> None:
    client = stores.mongo()
    feed = client["activity"]["feed"]
    entry = await feed.find_one({"type": "billing.AccountOpened.v1"})
    await feed.insert_one({**entry, "_id": str(STRANGER)})
    client.close()


async def feed_invents(stores: Stores) -> None:
    invented = Message("t", "studio.AppCreated.v1", "k", {}, STRANGER, A.ws, 1)
    client = stores.mongo()
    await client["activity"]["feed"].insert_one(feed_entry(invented))
    client.close()


def without(collection: str) -> After:
    async def plant(stores: Stores) -> None:
        client = stores.mongo()
        await client["studio"][collection].delete_one({})
        client.close()

    return plant


def rewritten(collection: str) -> After:
    async def plant(stores: Stores) -> None:
        client = stores.mongo()
        await client["studio"][collection].update_one({}, {"$set": {"body": b"other"}})
        client.close()

    return plant


def books(*entries: tuple[int, int]) -> After:
    """A charge of two sides, with these."""
    return sql(
        "billing",
        "SET session_replication_role = replica",
        "INSERT INTO billing_transaction (transaction_id, workspace_id, kind, change_id, entries,"
        f" at) VALUES ('{STRANGER}', '{A.ws}', 'charge', '{A.change}', 2, now())",
        *(
            "INSERT INTO billing_entry (transaction_id, number, workspace_id, account, currency,"
            f" amount_minor) VALUES ('{STRANGER}', {n}, '{A.ws}', 'customer', 'EUR', {amount})"
            for n, amount in entries
        ),
    )


def taken_twice() -> After:
    """A captured payment with two balanced transactions."""

    async def plant(stores: Stores) -> None:
        await payment("captured")(stores)
        for name in (STRANGER, named("again")):
            await stores.run(
                "billing",
                "BEGIN; INSERT INTO billing_transaction (transaction_id, workspace_id, kind,"
                f" payment_id, entries, at) VALUES ('{name}', '{A.ws}', 'payment', '{A.payment}',"
                " 2, now()); INSERT INTO billing_entry (transaction_id, number, workspace_id,"
                f" account, currency, amount_minor) VALUES ('{name}', 1, '{A.ws}', 'clearing',"
                f" 'EUR', 500), ('{name}', 2, '{A.ws}', 'customer', 'EUR', -500); COMMIT",
            )

    return plant


def payment(state: str) -> After:
    body = {"change_id": str(A.change), "state": state, "amount_minor": 500, "currency": "EUR"}
    return sql(
        "billing",
        "INSERT INTO payment (id, workspace_id, revision, version, state)"
        f" VALUES ('{A.payment}', '{A.ws}', 1, 0, '{json.dumps(body)}')",
    )


async def no_bundle(stores: Stores) -> None:
    shutil.rmtree(stores.folder / str(A.ws))


async def bundle_rewritten(stores: Stores) -> None:
    for file in (stores.folder / str(A.ws)).iterdir():
        file.write_bytes(b"other")


# --- rows

RESERVED = json.dumps({"app_id": str(A.app), "units": 1})
APP = f"WHERE id = '{A.app}'"
SAGA = f"WHERE id = '{A.saga}'"


def reservation(name: object) -> str:
    return (
        "UPDATE account SET state = jsonb_set(state, '{reservations}',"
        f" '{{\"{name}\": {RESERVED}}}') WHERE id = '{A.ws}'"
    )


def frozen(release: object) -> str:
    return (
        "UPDATE app SET state = jsonb_set(state, '{freezes}',"
        f' \'{{"{release}": "{A.revision}"}}\') {APP}'
    )


def another_release(standing: str) -> str:
    return (
        "INSERT INTO release (id, workspace_id, revision, version, state, app_id, environment,"
        f" number, standing, bundle_digest) SELECT '{STRANGER}', workspace_id, 1, 0, '{{}}',"
        f" app_id, environment, 2, '{standing}', bundle_digest FROM release"
        f" WHERE id = '{A.release}'"
    )


POINT_ELSEWHERE = (
    "UPDATE app SET state = jsonb_set(state, '{pointers,production,release_id}',"
    f" '\"{STRANGER}\"') {APP}"
)
MARK = "UPDATE saga_instance SET state = jsonb_set(state::jsonb, '{steps,2,0}', '\"sent\"')"
TAKES_RELEASE = (
    "UPDATE saga_instance SET state = jsonb_set(state::jsonb, '{data,release_id}',"
    f" '\"{A.release}\"') WHERE id = '{A.refused}'"
)
LOCK = "INSERT INTO entity_lock (key, queue) VALUES"
INBOX = "INSERT INTO inbox (consumer_group, message_id) VALUES"
OPEN = f"WHERE id = '{B.open_saga}'"
