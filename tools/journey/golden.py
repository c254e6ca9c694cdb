"""The golden journey: from a new user to a live app, and back to the release before."""

import asyncio
import copy
import secrets
from typing import Any

from chassis.clock import SystemClock
from tools.archive import contents
from tools.journey.client import Failed, Json, demand, digest, fresh_key
from tools.journey.documents import (
    CHANGE_ENTITY,
    CREATE_WORKSPACE,
    FEED,
    LOG_IN,
    REGISTER,
    ROLL_BACK,
    SET_VISIBILITY,
)
from tools.journey.story import Story, live_release, stage

CLOCK = SystemClock()
FILES_AT_ONCE = 16
FEED_S = 20.0
FEED_PAUSE_S = 0.1
TOLD = (
    "identity.WorkspaceActivated.v1",
    "studio.AppImported.v1",
    "studio.EntityChanged.v1",
    "delivery.ReleasePublished.v1",
    "delivery.ReleaseRolledBack.v1",
    "orchestrator.SagaCompleted.v1",
)
"""What the feed has to have told in the end."""
CAUSED = (
    "billing.QuotaReserved.v1",
    "studio.RevisionFrozen.v1",
    "delivery.ReleaseStaged.v1",
    "delivery.ReleasePublished.v1",
    "studio.RevisionTagged.v1",
)
"""What a publish announces on its way through the services."""


async def golden(story: Story) -> None:
    """Every stage in order. Failed at the first one that does not hold."""
    await register(story)
    await make_workspace(story)
    await import_app(story)
    await export_app(story)
    await edit_widget(story)
    first = await publish(story, "publish, watched by subscription")
    await fetch_live(story, first)
    await edit_widget(story, "edit it again")
    second = await publish(story, "publish again")
    await roll_back(story, second, first)
    await read_feed(story)
    await follow_trace(story)


async def register(story: Story) -> None:
    """A new user logs in."""
    email, password = f"journey-{fresh_key()[:12]}@example.com", secrets.token_urlsafe(18)
    with stage("register and log in"):
        await story.client.done(REGISTER, "UserRegistered", email=email, password=password)
        session = await story.client.done(LOG_IN, "SessionOpened", email=email, password=password)
        story.client.token = session["token"]


async def make_workspace(story: Story) -> None:
    """A saga over identity, billing and studio; asked twice, made once."""
    with stage("make a workspace (saga)") as notes:
        key = fresh_key()
        wanted = {"workspaceName": "Journey", "idempotencyKey": key}
        operation = await story.client.done(CREATE_WORKSPACE, "Operation", **wanted)
        again = await story.client.done(CREATE_WORKSPACE, "Operation", **wanted)
        demand(again["id"] == operation["id"], "the same key made two workspaces")
        await story.ended(operation["id"])
        story.workspace_id = operation["workspaceId"]
        workspace = await story.workspace()
        demand(workspace["role"] == "OWNER", f"the founder is {workspace['role']}")
        demand(workspace["apps"]["nodes"], "there is no starter app")
        notes.append(f"plan {workspace['usage']['plan']}")


async def import_app(story: Story) -> None:
    """An app that others made comes as a zip."""
    with stage("import an app from a zip") as notes:
        path = f"/api/workspaces/{story.workspace_id}/apps/import"
        operation = await story.client.upload(path, story.archive, name="Shop")
        last = await story.ended(operation["id"])
        story.app_id = last["app"]["id"]
        counts = (await story.app())["counts"]
        notes.append(", ".join(f"{kind} {n}" for kind, n in sorted(counts.items()) if n))


async def export_app(story: Story) -> None:
    """What came in goes out again, unknown files and odd names included."""
    with stage("export it, equal to what was imported") as notes:
        path = f"/api/workspaces/{story.workspace_id}/apps/{story.app_id}/export"
        response = await story.client.fetch(path)
        demand(response.status_code == 200, f"{path} answered {response.status_code}")
        sent, back = contents(story.archive), contents(response.content)
        demand(sent.keys() == back.keys(), f"other files: {sorted(sent.keys() ^ back.keys())[:5]}")
        changed = sorted(name for name, body in sent.items() if back[name] != body)
        demand(not changed, f"other contents: {changed[:5]}")
        notes.append(f"{len(back)} files")


async def edit_widget(story: Story, name: str = "edit a widget, refuse a stale edit") -> None:
    """Two people edit one widget: the second one is told."""
    with stage(name):
        widget = next(w for w in (await story.app())["widgets"]["nodes"] if w["source"])
        source = copy.deepcopy(widget["source"])
        source["journeyNote"] = fresh_key()
        edit: Json = {
            "entityId": widget["id"],
            "expectedVersion": widget["version"],
            "source": source,
        }
        changed = await story.client.done(CHANGE_ENTITY, "EntityChanged", **edit)
        demand(changed["entityVersion"] == widget["version"] + 1, f"no new version: {changed}")
        stale = await story.client.done(CHANGE_ENTITY, "VersionConflict", **edit)
        demand(stale["currentVersion"] == changed["entityVersion"], f"wrong version: {stale}")


async def publish(story: Story, name: str) -> str:
    """A saga over billing, studio and delivery, seen step by step; the new release."""
    with stage(name) as notes:
        steps: list[int] = []
        last: Json = {}
        async for last in story.watch(await story.publish()):
            steps.append(last["done"])
        demand(last["state"] == "COMPLETED", f"the publish ended as {last}")
        demand(steps == sorted(set(steps)) or len(steps) > 1, f"no progress was seen: {steps}")
        release = str(last["release"]["id"])
        demand(live_release(await story.app()) == release, "the new release is not live")
        story.releases.append(release)
        notes.append(f"{len(steps)} snapshots of {last['total']} steps")
    return release


async def fetch_live(story: Story, release_id: str) -> None:
    """What a browser does: the manifest, then every file; and what a stranger may not."""
    with stage("fetch the live app, check every digest") as notes:
        pointers = (await story.app())["delivery"]["pointers"]
        path = next(p["path"] for p in pointers if p["environment"] == "PRODUCTION")
        response = await story.client.fetch(path)
        demand(response.status_code == 200, f"{path} answered {response.status_code}")
        manifest = response.json()
        cached = await story.client.fetch(path, **{"if-none-match": response.headers["etag"]})
        demand(cached.status_code == 304, f"with its ETag, {path} answered {cached.status_code}")
        places = asyncio.Semaphore(FILES_AT_ONCE)
        sizes = await asyncio.gather(*(_file(story, file, places) for file in manifest["files"]))
        demand(sizes, "the manifest lists no files")
        notes.append(f"{len(sizes)} files, {sum(sizes) / 1024:.0f} KiB")
    await open_to_everybody(story, path)


async def open_to_everybody(story: Story, path: str) -> None:
    """A stranger finds nothing until the app is public, and nothing again afterwards."""
    with stage("open it to everybody, and close it again"):
        for visibility, status in (("MEMBERS", 404), ("PUBLIC", 200), ("MEMBERS", 404)):
            given = {"appId": story.app_id, "visibility": visibility}
            await story.client.done(SET_VISIBILITY, "AppVisibilityChanged", **given)
            answered = (await story.client.fetch_as_stranger(path)).status_code
            demand(answered == status, f"a stranger of a {visibility} app was answered {answered}")


async def _file(story: Story, file: dict[str, Any], places: asyncio.Semaphore) -> int:
    async with places:
        response = await story.client.fetch(file["url"])
    demand(response.status_code == 200, f"{file['url']} answered {response.status_code}")
    demand(digest(response.content) == file["digest"], f"{file['path']} is not what it says")
    demand("immutable" in response.headers["cache-control"], f"{file['path']} may change")
    return len(response.content)


async def roll_back(story: Story, live: str, wanted: str) -> None:
    """The release before goes live again; rolling back from a wrong belief is refused."""
    with stage("roll back"):
        given = {"environment": "PRODUCTION", "toReleaseId": wanted}
        await story.client.done(
            ROLL_BACK, "LivePointerMoved", **given, expectedLiveReleaseId=wanted
        )
        await story.client.done(ROLL_BACK, "ReleaseRolledBack", **given, expectedLiveReleaseId=live)
        demand(live_release(await story.app()) == wanted, "the old release is not live")


async def read_feed(story: Story) -> None:
    """Everything that happened is told, once."""
    with stage("the feed tells the story") as notes:
        entries = await told(story, *TOLD)
        story.seen = {entry["eventId"] for entry in entries}
        demand(len(story.seen) == len(entries), "the feed tells an event twice")
        notes.append(f"{len(entries)} events")


async def follow_trace(story: Story) -> None:
    """The trace id of the request that started the last publish is on every event it caused."""
    with stage("one trace id finds the publish's whole way") as notes:
        found = {e["type"] for e in await told(story, *TOLD) if e["traceId"] == story.trace_id}
        demand(found >= set(CAUSED), f"trace {story.trace_id} has only {sorted(found)}")
        notes.append(f"{len(found)} types of event")


async def told(story: Story, *types: str) -> list[Json]:
    """The feed is behind by moments: it is asked again until it has told these types."""
    missing: set[str] = set(types)
    try:
        async with asyncio.timeout(FEED_S):
            while True:
                entries = await _feed(story)
                missing = set(types) - {entry["type"] for entry in entries}
                if not missing:
                    return entries
                await CLOCK.sleep(FEED_PAUSE_S)
    except TimeoutError:
        raise Failed(f"the feed never told {', '.join(sorted(missing))}") from None


async def _feed(story: Story) -> list[Json]:
    entries: list[Json] = []
    after: str | None = None
    while True:
        data = await story.client.ask(FEED, id=story.workspace_id, after=after)
        demand(data["activity"] is not None, "the feed is unavailable")
        entries += data["activity"]["nodes"]
        page = data["activity"]["pageInfo"]
        if not page["hasNextPage"]:
            return entries
        after = page["endCursor"]
