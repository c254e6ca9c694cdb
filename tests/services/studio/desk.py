"""Studio on real stores, as a test uses it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from chassis.clock import SystemClock, new_id
from chassis.resources import Resources
from chassis.stores.blobs import Blobs, FolderBlobs
from chassis.stores.mongo import Documents
from chassis.stores.postgres import Database
from chassis.work import Job, Operations
from contracts.billing.account import EntitlementsChanged, Plan
from contracts.studio.app import (
    AppCreated,
    AppImported,
    CreateApp,
    CreateStarterApp,
    Entity,
    EntityKind,
    GetEntities,
    ImportApp,
    ListEntities,
)
from services.studio import handlers
from services.studio.model import Apps, Drafts, Revisions
from services.studio.model.merging import Merges
from services.studio.model.releasing import Bundles, Checks
from services.studio.model.shelf import Shelves
from services.studio.settings import Settings
from services.studio.store import rows
from services.studio.store.bundles import BlobBundles
from services.studio.store.checks import GraphChecks
from services.studio.store.contents import Contents
from services.studio.store.drafts import SqlDrafts
from services.studio.store.graphs import Graphs
from services.studio.store.merging import ContentMerges
from services.studio.views.queries import get_entities, list_entities
from services.studio.work import import_app
from tests.services.participant import Participant, a_participant, an_envelope

KEY = "a key that only tests have"


@dataclass
class Progress:
    """Keeps what a worker says of itself."""

    steps: list[tuple[str, int, int]]

    async def write(self, job: Job) -> None:
        self.steps.append((job.step, job.done, job.total))


@dataclass
class Desk:
    """A studio with one workspace that may have apps."""

    studio: Participant
    contents: Contents
    graphs: Graphs
    settings: Settings
    workspace_id: UUID

    @property
    def database(self) -> Database:
        return self.studio.database

    @property
    def blobs(self) -> Blobs:
        return self.studio.resources.blobs

    async def app(self, name: str = "Shop") -> AppCreated:
        """A new app."""
        command = CreateApp(workspace_id=self.workspace_id, app_id=new_id(), app_name=name)
        answer = await self.studio.send(command)
        assert isinstance(answer, AppCreated)
        return answer

    async def imported(self, archive: bytes, app_id: UUID, **said: Any) -> AppImported:
        """An archive, taken in the way that the service takes it; `said`: more of ImportApp's
        fields. Raises Rejected."""
        digest = await self.blobs.put(self.workspace_id, archive)
        command = ImportApp(
            workspace_id=self.workspace_id,
            app_id=app_id,
            operation_id=new_id(),
            app_name="Shop",
            archive_digest=digest,
            **said,
        )
        await self.studio.send(command)
        given = await self.database.fetchval(
            "SELECT input FROM operation WHERE operation_id = $1", command.operation_id
        )
        finish = await import_app(
            a_job(command, given), self.blobs, self.contents, self.graphs, self.settings
        )
        answer = await self.studio.send(finish)
        assert isinstance(answer, AppImported)
        return answer

    async def entities(self, app_id: UUID, kind: EntityKind | None = None) -> list[Entity]:
        """The head's entities, without their sources."""
        query = ListEntities(
            workspace_id=self.workspace_id,
            app_ids=[app_id],
            kinds=[kind] if kind else [],
            limit=1000,
        )
        return (await list_entities(query, self.database)).entities

    async def entity(self, app_id: UUID, entity_id: str) -> Entity:
        """One of them, with its source."""
        query = GetEntities(workspace_id=self.workspace_id, app_id=app_id, entity_ids=[entity_id])
        (found,) = (await get_entities(query, self.database, self.contents)).entities
        return found


def a_job(command: ImportApp, given: dict[str, Any]) -> Job:
    """The work that ImportApp begins; `given`: what it leaves to the worker."""
    return Job(
        operation_id=command.operation_id,
        workspace_id=command.workspace_id,
        kind="import_app",
        subject_id=str(command.app_id),
        input=given,
        actor_id=None,
        attempt=1,
        lease="mine",
        traceparent="",
        clock=SystemClock(),
        writes=Progress([]),
    )


async def a_desk(database: Database, documents: Documents, folder: Path, apps_max: int = 5) -> Desk:
    """Studio whose one workspace has its starter app and knows its plan."""
    settings = Settings(context_key=KEY)  # type: ignore[arg-type]  # pydantic makes it a secret
    opened = {"postgres": database, "mongo": documents, "blobs": FolderBlobs(folder)}
    resources = Resources(settings, SystemClock(), {}, opened)
    provides: dict[type, type] = {
        Apps: rows.SqlApps,
        Revisions: rows.SqlRevisions,
        Shelves: rows.SqlShelves,
        Drafts: SqlDrafts,
        Operations: Operations,
    }
    singletons: dict[type, object] = {
        Bundles: BlobBundles(resources),
        Checks: GraphChecks(resources),
        Merges: ContentMerges(resources),
    }
    studio = a_participant("studio", handlers.HANDLERS, provides, resources, singletons)
    desk = Desk(studio, Contents(resources), Graphs(resources), settings, new_id())
    await studio.send(CreateStarterApp(workspace_id=desk.workspace_id, app_id=new_id()))
    await desk_hears_plan(desk, apps_max)
    return desk


async def desk_hears_plan(desk: Desk, apps_max: int) -> None:
    """What billing announces."""
    event = EntitlementsChanged(
        workspace_id=desk.workspace_id,
        plan=Plan.FREE,
        apps_max=apps_max,
        releases_max=2,
        members_max=3,
    )
    await desk.studio.hear(an_envelope(event, SystemClock()))
