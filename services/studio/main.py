"""Studio, put together."""

from chassis.service import Service
from services.studio import handlers
from services.studio.auditor import audited
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
from services.studio.views import VIEWS, export
from services.studio.work import WORKERS

service = Service(
    name="studio",
    settings=Settings,
    handlers=handlers.HANDLERS,
    views=VIEWS,
    provides={
        Apps: rows.SqlApps,
        Revisions: rows.SqlRevisions,
        Shelves: rows.SqlShelves,
        Drafts: SqlDrafts,
        Bundles: BlobBundles,
        Checks: GraphChecks,
        Merges: ContentMerges,
        Contents: Contents,
        Graphs: Graphs,
    },
    stores=("postgres", "mongo", "blobs"),
    routers=(export.router,),
    workers=WORKERS,
    extend=(audited,),
)

if __name__ == "__main__":
    service.run()
