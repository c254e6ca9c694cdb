"""Send commits through the API, one after another: each waits for the one before it."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from chassis.clock import SystemClock
from tools.archive import zip_of_files
from tools.history.commits import Commit
from tools.history.repository import Load
from tools.journey.client import Client, Failed, Json, demand

CLOCK = SystemClock()
PAUSE_S = 0.05
OPERATION_S = 300.0
REFUSED = "IMPORT_REFUSED"

IMPORT = """mutation($input: ImportAppInput!) { importApp(input: $input) {
    __typename ... on Failure { code message } ... on Operation { id } } }"""
ENDED = """query($id: ID!) { operation(id: $id) { finished state step result app { id }
    error { code message ... on ImportRefused { path rule detail } } } }"""
RUNNING = """query($id: ID!) { operations(workspaceId: $id, first: 100) {
    nodes { id kind finished } } }"""
APPS = """query($id: ID!, $after: String) { workspace(id: $id) { apps(first: 100, after: $after) {
    nodes { id name } pageInfo { hasNextPage endCursor } } } }"""
REVISIONS = """query($id: ID!, $after: String) { app(id: $id) {
    revisions(first: 100, after: $after) {
        nodes { id number commit } pageInfo { hasNextPage endCursor } } } }"""


class Refused(Exception):
    """The platform takes no app in this commit's files; the text says which file and rule."""


@dataclass
class Carrier:
    """Imports into one workspace; `app_id` is empty until there is an app."""

    client: Client
    workspace_id: str
    app_id: str = ""
    app_name: str = ""
    sent_bytes: int = 0

    async def find_app(self, commits: Collection[str]) -> None:
        """The app of this name that some of these commits are in already, if there is one."""
        for app in await self._all(APPS, self.workspace_id, "workspace", "apps"):
            if not self.app_id and app["name"] == self.app_name:
                there = await self._all(REVISIONS, app["id"], "app", "revisions")
                if any(revision["commit"] in commits for revision in there):
                    self.app_id = app["id"]

    async def revisions(self) -> list[Json]:
        """Of the app, newest first: id, number, commit."""
        if not self.app_id:
            return []
        return await self._all(REVISIONS, self.app_id, "app", "revisions")

    async def settle(self) -> None:
        """Wait for imports that an interrupted run left under way."""
        data = await self.client.ask(RUNNING, id=self.workspace_id)
        for operation in data["operations"]["nodes"]:
            if operation["kind"] == "import_app" and not operation["finished"]:
                await self._ended(operation["id"])

    async def carry(self, commit: Commit, load: Load, base: str) -> Json:
        """Import one commit; what AppImported says. `base`: the revision that a change is of.
        Raises Refused, or Failed."""
        archive = await asyncio.to_thread(
            zip_of_files, [(file.path, file.body, file.link) for file in load.files]
        )
        self.sent_bytes += len(archive)
        path = f"/api/workspaces/{self.workspace_id}/archives"
        kept = await self.client.upload(path, archive, status=201)
        wanted: Json = {
            "workspaceId": self.workspace_id,
            "archiveDigest": kept["archiveDigest"],
            "authorName": commit.author_name,
            "authoredAt": commit.authored_at.isoformat(),
            "message": commit.message,
            "commit": commit.name,
            **({"appId": self.app_id} if self.app_id else {"appName": self.app_name}),
        }
        if load.removed is not None:
            wanted |= {"baseRevisionId": base, "removed": load.removed}
        started = await self.client.done(IMPORT, "Operation", **wanted)
        ended = await self._ended(started["id"])
        error = ended["error"]
        if error and error["code"] == REFUSED:
            parts = [error[name] for name in ("path", "rule", "detail") if error[name]]
            raise Refused(": ".join(parts))
        demand(not error, f"{commit.name}: {error and error['message']}")
        self.app_id = ended["app"]["id"]
        result: Json = ended["result"]
        return result

    async def _ended(self, operation_id: str) -> Json:
        """Long work's last state. Failed when it does not end in time."""
        last: Json = {}
        try:
            async with asyncio.timeout(OPERATION_S):
                while not last.get("finished"):
                    if last:
                        await CLOCK.sleep(PAUSE_S)
                    last = (await self.client.ask(ENDED, id=operation_id))["operation"]
        except TimeoutError:
            raise Failed(f"the import did not end in {OPERATION_S:.0f} s: {last}") from None
        return last

    async def _all(self, document: str, node_id: str, outer: str, inner: str) -> list[Json]:
        """All nodes of a connection."""
        found: list[Json] = []
        after: str | None = None
        while True:
            data = (await self.client.ask(document, id=node_id, after=after))[outer]
            demand(data, f"there is no such {outer}, or it is not yours: {node_id}")
            found += data[inner]["nodes"]
            if not data[inner]["pageInfo"]["hasNextPage"]:
                return found
            after = data[inner]["pageInfo"]["endCursor"]
