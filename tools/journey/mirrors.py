"""The mirrors: the same publish, refused late, and nothing of it left behind."""

from tools.journey.client import Json, demand, fresh_key
from tools.journey.documents import CREATE_APP
from tools.journey.golden import read_feed, told
from tools.journey.story import UNDONE, Story, live_release, stage


async def mirrors(story: Story) -> None:
    """Both, on the workspace of the golden journey."""
    await another_release_wins(story)
    await over_quota(story)
    await read_feed(story)


async def another_release_wins(story: Story) -> None:
    """Two publishes believe the same release to be live; the second one finds another there."""
    with stage("mirror: another release wins") as notes:
        before, usage = await story.app(), await story.usage()
        believed = live_release(before)
        winner = await story.publish(previousReleaseId=believed)
        loser = await story.publish(previousReleaseId=believed)
        won = await story.ended(winner)
        lost = await story.ended(loser, UNDONE)
        error = lost["error"]
        demand(error["__typename"] == "LivePointerMoved", f"the reason is {error}")
        demand(error["liveReleaseId"] == won["release"]["id"], f"it names {error}")
        after = await story.app()
        demand(live_release(after) == won["release"]["id"], "the winner is not live")
        demand(await story.usage() == usage, "the quota was not given back")
        states = {release["id"]: release["state"] for release in after["releases"]["nodes"]}
        staged = states.get(lost["result"]["release_id"])
        demand(staged == "ABANDONED", f"the staged release is {staged}")
        _all_undone(lost)
        await told(story, "studio.RevisionUnfrozen.v1", "delivery.ReleaseAbandoned.v1")
        notes.append(error["code"])


async def over_quota(story: Story) -> None:
    """The plan is used up; one more app wants to go live."""
    with stage("mirror: publish over quota") as notes:
        while (await story.usage())["unitsLeft"]:
            await story.ended(await story.publish(await _new_app(story)))
        app_id, usage = await _new_app(story), await story.usage()
        lost = await story.ended(await story.publish(app_id), UNDONE)
        error = lost["error"]
        demand(error["__typename"] == "QuotaExceeded", f"the reason is {error}")
        demand(error["unitsLeft"] == 0, f"it says {error}")
        app = await story.app(app_id)
        demand(live_release(app) is None, "the app is live")
        demand(app["releases"]["nodes"] == [], "a release was left behind")
        demand(all(not r["tags"] for r in app["revisions"]["nodes"]), "a revision is tagged")
        demand(await story.usage() == usage, "the quota was not given back")
        _all_undone(lost)
        notes.append(error["code"])


async def _new_app(story: Story) -> str:
    wanted = {"workspaceId": story.workspace_id, "appName": f"Mirror {fresh_key()[:6]}"}
    return str((await story.client.done(CREATE_APP, "AppCreated", **wanted))["appId"])


def _all_undone(operation: Json) -> None:
    left = [
        step for step in operation["steps"] if step["state"] in ("done", "sent", "compensating")
    ]
    demand(not left, f"steps are left: {left}")
