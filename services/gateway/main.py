"""Gateway, put together."""

from chassis.service import Service
from services.gateway.doors import open_doors, public_router
from services.gateway.settings import Settings

service = Service(
    name="gateway",
    settings=Settings,
    stores=("redis", "blobs"),
    clients=("identity", "studio", "billing", "delivery", "activity", "orchestrator"),
    extend=(open_doors,),
    routers=(public_router,),
)

if __name__ == "__main__":
    service.run()
