"""The orchestrator's tables are the engine's: see chassis.saga and the migration."""

from chassis.saga.book import SagaBook
from services.orchestrator.model import DEFINITIONS, announce


class SqlSagas(SagaBook):
    """Fulfils Sagas."""

    definitions = DEFINITIONS
    announcer = staticmethod(announce)
