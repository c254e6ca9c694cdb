"""Delivery, put together."""

from chassis.service import Service
from services.delivery import handlers
from services.delivery.model.app import Apps, Releases
from services.delivery.model.bundle import BundleIndex
from services.delivery.settings import Settings
from services.delivery.store import rows
from services.delivery.store.manifests import Manifests
from services.delivery.views import VIEWS, files

service = Service(
    name="delivery",
    settings=Settings,
    handlers=handlers.HANDLERS,
    views=VIEWS,
    provides={
        Apps: rows.SqlApps,
        Releases: rows.SqlReleases,
        BundleIndex: rows.SqlBundleIndex,
        Manifests: Manifests,
    },
    stores=("postgres", "redis", "blobs"),
    routers=(files.router,),
)

if __name__ == "__main__":
    service.run()
