"""What the journey carries from stage to stage, and how a stage is shown."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chassis.clock import SystemClock
from tools.journey.client import Client, Json, demand
from tools.journey.documents import APP, PUBLISH, WATCH_OPERATION, WORKSPACE

CLOCK = SystemClock()
NAME_WIDTH = 44
ENDED_WELL = "COMPLETED"
UNDONE = "COMPENSATED"


@dataclass
class Story:
    """One run, as one user. Ids are global ids."""

    client: Client
    archive: bytes
    workspace_id: str = ""
    app_id: str = ""
    releases: list[str] = field(default_factory=list)  # of the app, oldest first
    trace_id: str = ""  # of the request that started the last publish
    seen: set[str] = field(default_factory=set)  # event ids that the feed showed

    async def workspace(self) -> Json:
        """The workspace as it is now."""
        found: Json = (await self.client.ask(WORKSPACE, id=self.workspace_id))["workspace"]
        return found

    async def app(self, app_id: str = "") -> Json:
        """The app as it is now."""
        found: Json = (await self.client.ask(APP, id=app_id or self.app_id))["app"]
        return found

    async def watch(self, operation_id: str) -> AsyncIterator[Json]:
        """Snapshots of long work until it ends, the last one included."""
        async for data in self.client.watch(WATCH_OPERATION, id=operation_id):
            yield data["operation"]

    async def ended(self, operation_id: str, state: str = ENDED_WELL) -> Json:
        """The last snapshot of long work. Failed when it ends otherwise."""
        last: Json = {}
        async for last in self.watch(operation_id):  # noqa: B007  # only the last one is wanted
            pass
        demand(last.get("state") == state, f"wanted {state}, got {last}")
        return last

    async def publish(self, app_id: str = "", **given: Any) -> str:
        """Start a publish; its operation."""
        wanted = {"appId": app_id or self.app_id, "environment": "PRODUCTION", **given}
        operation = await self.client.done(PUBLISH, "Operation", **wanted)
        self.trace_id = self.client.trace_id
        return str(operation["id"])

    async def usage(self) -> Json:
        """What the workspace consumes now."""
        found: Json = (await self.workspace())["usage"]
        return found


@contextmanager
def stage(name: str) -> Iterator[list[str]]:
    """A line for what happens inside: its name, time and what it appended. Errors pass."""
    began = CLOCK.monotonic()
    notes: list[str] = []
    try:
        yield notes
    except BaseException:
        print(f"  FAILED  {name}", flush=True)
        raise
    took = (CLOCK.monotonic() - began) * 1000
    print(f"  {name:<{NAME_WIDTH}} {took:7.0f} ms  {', '.join(notes)}".rstrip(), flush=True)


def live_release(app: Json, environment: str = "PRODUCTION") -> str | None:
    """The id of the release that an app has live."""
    for pointer in app["delivery"]["pointers"]:
        if pointer["environment"] == environment:
            release = pointer["release"]
            return str(release["id"]) if release else None
    return None
