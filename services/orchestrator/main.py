"""Orchestrator, put together."""

from chassis.saga.wire import sagas
from chassis.service import Service
from services.orchestrator import handlers, model, store, views
from services.orchestrator.model import Sagas
from services.orchestrator.settings import Settings

service = Service(
    name="orchestrator",
    settings=Settings,
    handlers=handlers.HANDLERS,
    views=views.VIEWS,
    provides={Sagas: store.SqlSagas},
    stores=("postgres",),
    extend=(sagas(model.DEFINITIONS, model.announce),),
)

if __name__ == "__main__":
    service.run()
