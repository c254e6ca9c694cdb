"""How each saga is started by a client of the gateway, and how to make it fail by itself.

A saga without a driver fails `test_cases.py`: the sweep is to cover all of them.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from io import StringIO
from uuid import UUID

from sagas import SAGAS
from tests.flows.traveller import Traveller
from tools.journey.client import Failed, Json, fresh_key
from tools.journey.documents import CREATE_WORKSPACE
from tools.journey.story import live_release

WORKSPACES_AT_ONCE = 5
SITE_TRIES = 5
PROTECTED: Json = {"protectedEnvironments": ["STAGING"]}
CHANGE_PLAN = """mutation($input: ChangePlanInput!) { changePlan(input: $input) {
    __typename ... on Operation { id } ... on Failure { code message } } }"""
PROTECT = """mutation($input: ChangeWorkspaceSettingsInput!) {
    changeWorkspaceSettings(input: $input) { __typename ... on Failure { code message } } }"""


@dataclass
class Site:
    """A user with a workspace and a live app: the place of one case at a time."""

    traveller: Traveller
    workspace_id: UUID
    workspace: str  # the same, as a global id
    stale_release_id: str  # was live once, and never will be again

    @classmethod
    async def make(cls, gateway: str) -> "Site":
        """Through the gateway. Two publishes, so that one release is a thing of the past."""
        traveller = Traveller(gateway)
        await traveller.settle()
        story = traveller.story
        protect = {"workspaceId": story.workspace_id, "settings": PROTECTED}
        await story.client.done(PROTECT, "WorkspaceSettingsChanged", **protect)
        await story.ended(await story.publish())
        stale = live_release(await story.app())
        await story.ended(await story.publish())
        assert stale is not None, "the first publish has completed"
        return cls(traveller, raw_id(story.workspace_id), story.workspace_id, stale)


Start = Callable[[Site, str], Awaitable[UUID]]
"""Begins one saga at a site, turned back as `undo` says ("" or "stale"); its id."""


@dataclass(frozen=True)
class Driver:
    """`protected`: begins one that waits for approval. `stale`: it can fail by itself at its
    deciding step. `crowd`: two can want one lock. `in_workspace`: it belongs to the site's
    workspace, by which rules can be narrowed. `inner`: commands that its participants send
    themselves on its way forward, by wire type. `prepare`: what a case needs of its own."""

    start: Start
    protected: Start | None = None
    stale: bool = False
    crowd: bool = False
    in_workspace: bool = True
    inner: tuple[str, ...] = ()
    prepare: Callable[[Site], Awaitable[Site]] | None = None


async def publish(site: Site, undo: str) -> UUID:
    """Publish the site's app; stale: in the belief that an old release is live."""
    traveller = site.traveller
    given: Json = {"idempotencyKey": fresh_key()}
    if undo == "stale":
        given["previousReleaseId"] = site.stale_release_id
    return raw_id(await traveller.insist(traveller.story.publish, "", **given))


async def publish_protected(site: Site, undo: str) -> UUID:
    """Publish to the environment that the workspace protects."""
    traveller = site.traveller
    given: Json = {"idempotencyKey": fresh_key(), "environment": "STAGING"}
    return raw_id(await traveller.insist(traveller.story.publish, "", **given))


async def change_plan(site: Site, undo: str) -> UUID:
    """From the free plan to one that costs, with answers of the provider lost on the way. Stale:
    the money is set aside, and refused when it is to be taken."""
    traveller = site.traveller
    wanted = {
        "workspaceId": site.workspace,
        "plan": "BUSINESS",
        "paymentToken": "tok-capturedeclined" if undo else "tok-lostauthorise-lostcapture",
        "idempotencyKey": fresh_key(),
    }
    done = traveller.client.done
    operation = await traveller.insist(done, CHANGE_PLAN, "Operation", **wanted)
    return raw_id(operation["id"])


async def another_workspace(site: Site) -> Site:
    """The same user in a workspace that never paid: a change back would be paid by credit."""
    client = site.traveller.client
    wanted = {"workspaceName": "Fresh", "idempotencyKey": fresh_key()}
    operation = await site.traveller.insist(client.done, CREATE_WORKSPACE, "Operation", **wanted)
    await site.traveller.ended(operation["id"])
    workspace = operation["workspaceId"]
    return replace(site, workspace_id=raw_id(workspace), workspace=workspace)


async def onboard(site: Site, undo: str) -> UUID:
    """One more workspace for the site's user."""
    client = site.traveller.client
    wanted = {"workspaceName": "Swept", "idempotencyKey": fresh_key()}
    operation = await site.traveller.insist(client.done, CREATE_WORKSPACE, "Operation", **wanted)
    return raw_id(operation["id"])


DRIVERS: dict[str, Driver] = {
    "publish_app": Driver(publish, publish_protected, stale=True, crowd=True),
    "onboard_workspace": Driver(onboard, in_workspace=False),
    "change_plan": Driver(
        change_plan,
        stale=True,
        crowd=True,
        inner=("billing.RecordPayment.v1",),
        prepare=another_workspace,
    ),
}
"""By the saga's name."""


@dataclass
class Sites:
    """All of them, each lent to one case at a time."""

    free: list[Site] = field(default_factory=list)

    @classmethod
    async def make(cls, gateway: str, count: int = WORKSPACES_AT_ONCE) -> "Sites":
        """Side by side, and silently: the journey tells its stages."""
        with redirect_stdout(StringIO()):
            return cls(list(await asyncio.gather(*(_insisted(gateway) for _ in range(count)))))

    async def close(self) -> None:
        for site in self.free:
            await site.traveller.close()

    async def begin(self) -> list[UUID]:
        """A saga of each kind at each site, stale ones among them; their ids."""
        starts = [
            driver.start(
                site, "stale" if driver.stale and not driver.prepare and number % 2 else ""
            )
            for number, site in enumerate(self.free)
            for name, driver in DRIVERS.items()
            if name in {saga.name for saga in SAGAS}
        ]
        return list(await asyncio.gather(*starts))


async def _insisted(gateway: str) -> Site:
    """A machine that is busy makes a page late; then another user tries."""
    for _ in range(SITE_TRIES - 1):
        try:
            return await Site.make(gateway)
        except (Failed, TimeoutError):
            continue
    return await Site.make(gateway)


def raw_id(global_id: str) -> UUID:
    """The last part of a global id, as the databases have it."""
    padded = global_id + "=" * (-len(global_id) % 4)
    return UUID(base64.urlsafe_b64decode(padded).decode().rpartition(":")[2])
