"""One workspace's app at a delivery with real stores."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from redis.asyncio import Redis

from chassis.clock import new_id
from chassis.resources import Resources
from chassis.stores.blobs import FolderBlobs
from chassis.stores.postgres import Database
from contracts.delivery.environment import Environment
from contracts.delivery.release import ReleasePublished, ReleaseStaged, StageRelease
from services.delivery.handlers import HANDLERS
from services.delivery.model.app import Apps, Releases
from services.delivery.model.bundle import BundleIndex
from services.delivery.settings import Settings
from services.delivery.store.rows import SqlApps, SqlBundleIndex, SqlReleases
from tests.services.delivery.fakes import PAGES, SECRETS, a_switch, put_bundle
from tests.services.participant import Participant, a_participant

CONTEXT_KEY = "a test's key of contexts"
PROVIDES: dict[type, type] = {
    Apps: SqlApps,
    Releases: SqlReleases,
    BundleIndex: SqlBundleIndex,
}


@dataclass
class Shop:
    """What a test publishes with."""

    delivery: Participant
    workspace_id: UUID
    app_id: UUID

    async def staged(
        self,
        environment: Environment = Environment.PRODUCTION,
        release_id: UUID | None = None,
        public: dict[str, bytes] = PAGES,
    ) -> ReleaseStaged:
        blobs = self.delivery.resources.blobs
        answer = await self.delivery.send(
            StageRelease(
                workspace_id=self.workspace_id,
                app_id=self.app_id,
                release_id=release_id or new_id(),
                revision_id=new_id(),
                environment=environment,
                bundle_digest=await put_bundle(blobs, self.workspace_id, public, SECRETS),
            )
        )
        assert isinstance(answer, ReleaseStaged)
        return answer

    async def published(
        self,
        previous: UUID | None = None,
        environment: Environment = Environment.PRODUCTION,
        public: dict[str, bytes] = PAGES,
    ) -> ReleasePublished:
        staged = await self.staged(environment, public=public)
        answer = await self.delivery.send(a_switch(staged, previous))
        assert isinstance(answer, ReleasePublished)
        return answer


def a_shop(database: Database, blob_folder: Path, redis: Redis | None = None) -> Shop:
    resources = Resources(Settings(context_key=CONTEXT_KEY))
    resources.opened.update(postgres=database, blobs=FolderBlobs(blob_folder))
    if redis is not None:
        resources.opened["redis"] = redis
    return Shop(a_participant("delivery", HANDLERS, PROVIDES, resources), new_id(), new_id())
