"""The product as a stranger has it: GraphQL and REST of a gateway, and nothing of ours beside."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tools.archive import zip_of_files
from tools.history.compare import export_of
from tools.journey.client import Client, Json, demand, fresh_key
from tools.journey.documents import CREATE_WORKSPACE, LOG_IN, REGISTER
from tools.journey.story import Story

LISTED_MAX = 100
REFUSAL = "__typename ... on Failure { code message }"

APP = "query($id: ID!) { app(id: $id) { counts headRevisionId } }"
ENTITIES = f"""query($id: ID!, $after: String) {{ app(id: $id) {{
    entities(first: {LISTED_MAX}, after: $after) {{
        nodes {{ id kind name path }} pageInfo {{ hasNextPage endCursor }} }} }} }}"""
VERSION = "query($id: ID!) { node(id: $id) { ... on Entity { version } } }"
RENAME = f"""mutation($input: RenameEntityInput!) {{ renameEntity(input: $input) {{
    {REFUSAL} ... on SourceInvalid {{ rule }}
    ... on RenameOutcome {{ entityId entityVersion revisionId more
        changes {{ entityId path start before after }}
        mentions {{ entityId path start before after }} unclear {{ entityId }} }} }} }}"""
ARCHIVE = f"""mutation($input: ArchiveAppInput!) {{ archiveApp(input: $input) {{
    {REFUSAL} }} }}"""
DELETE = f"""mutation($input: DeleteAppInput!) {{ deleteApp(input: $input) {{
    {REFUSAL} }} }}"""


class Refused(Exception):
    """The product refuses a rename; the text says why, as it does."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An entity as the product lists it. `kind` as the schema has it."""

    entity_id: str
    kind: str
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Place:
    """A place that a rename changes, in an entity as it was before."""

    entity_id: str
    path: str
    start: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rename made, or in a dry run would make. `unclear`: how many places nobody can
    decide."""

    entity_id: str
    version: int
    revision_id: str | None
    changes: tuple[Place, ...]
    mentions: tuple[Place, ...]
    unclear: int
    more: bool


class Doors(Protocol):
    """What the check needs of the product. Ids are the product's."""

    async def bring(self, name: str, files: Mapping[str, bytes]) -> str:
        """Import a tree as a new app; the app."""

    async def counts(self, app_id: str) -> dict[str, int]:
        """Entities by kind."""

    async def entities(self, app_id: str) -> list[Listed]:
        """All of the head's."""

    async def version(self, entity_id: str) -> int:
        """The one to name in a rename."""

    async def rename(
        self, entity_id: str, version: int, name: str, *, dry: bool, texts: bool
    ) -> Outcome:
        """`texts`: change texts that functions take for the name, too. Raises Refused."""

    async def export(self, app_id: str) -> bytes:
        """The zip of the head."""

    async def forget(self, app_id: str) -> None:
        """Archive and delete an app."""


class Gateway:
    """The doors of a running platform, as one new user with one new workspace. Raises Failed when
    they do not do what they promise."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._story = Story(client, b"")
        self._workspace = ""

    async def settle(self) -> None:
        """Register, log in, make the workspace."""
        who = {
            "email": f"realapps-{fresh_key()[:12]}@example.com",
            "password": secrets.token_urlsafe(18),
        }
        await self._client.done(REGISTER, "UserRegistered", **who)
        session = await self._client.done(LOG_IN, "SessionOpened", **who)
        self._client.token = session["token"]
        made = await self._client.done(CREATE_WORKSPACE, "Operation", workspaceName="Real apps")
        await self._story.ended(made["id"])
        self._workspace = made["workspaceId"]

    async def bring(self, name: str, files: Mapping[str, bytes]) -> str:
        archive = zip_of_files([(path, body, False) for path, body in files.items()])
        path = f"/api/workspaces/{self._workspace}/apps/import"
        operation = await self._client.upload(path, archive, name=name)
        return str((await self._story.ended(operation["id"]))["app"]["id"])

    async def counts(self, app_id: str) -> dict[str, int]:
        found: dict[str, int] = (await self._client.ask(APP, id=app_id))["app"]["counts"]
        return found

    async def entities(self, app_id: str) -> list[Listed]:
        found: list[Listed] = []
        after: str | None = None
        while True:
            data = await self._client.ask(ENTITIES, id=app_id, after=after)
            page: Json = data["app"]["entities"]
            found += [Listed(n["id"], n["kind"], n["name"], n["path"]) for n in page["nodes"]]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]

    async def version(self, entity_id: str) -> int:
        node = (await self._client.ask(VERSION, id=entity_id))["node"]
        demand(node, f"there is no entity {entity_id}")
        return int(node["version"])

    async def rename(
        self, entity_id: str, version: int, name: str, *, dry: bool, texts: bool
    ) -> Outcome:
        answer = await self._client.do(
            RENAME,
            entityId=entity_id,
            expectedVersion=version,
            name=name,
            dryRun=dry,
            withMentions=texts,
        )
        if answer["__typename"] != "RenameOutcome":
            raise Refused(f"{answer['__typename']} {answer.get('rule') or answer.get('message')}")
        return Outcome(
            answer["entityId"],
            answer["entityVersion"],
            answer["revisionId"],
            _places(answer["changes"]),
            _places(answer["mentions"]),
            len(answer["unclear"]),
            answer["more"],
        )

    async def export(self, app_id: str) -> bytes:
        head = (await self._client.ask(APP, id=app_id))["app"]["headRevisionId"]
        return await export_of(self._client, self._workspace, app_id, head)

    async def forget(self, app_id: str) -> None:
        await self._client.done(ARCHIVE, "AppArchived", appId=app_id)
        await self._client.done(DELETE, "AppDeleted", appId=app_id)


def _places(listed: list[dict[str, Any]]) -> tuple[Place, ...]:  # what the gateway says
    return tuple(
        Place(one["entityId"], one["path"], one["start"], one["before"], one["after"])
        for one in listed
    )
