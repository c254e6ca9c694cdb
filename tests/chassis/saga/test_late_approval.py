"""An approval just past its time, on a real PostgreSQL."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

from chassis.clock import new_id
from chassis.context import trusted_context
from chassis.saga.state import Status
from chassis.stores.statement import Statement
from contracts.orchestrator.publishing import PublishApp
from services.orchestrator.store import SqlSagas
from tests.chassis.saga.stand import SHARDS, WORKSPACE, Stand, a_stand

APP = UUID(int=8)


async def _written(sagas: SqlSagas, stand: Stand) -> None:
    statement = Statement()
    sagas.flush(statement)
    await statement.run(stand.database)


async def test_one_that_comes_too_late_leaves_no_lock(fresh_database: str) -> None:
    """The saga joins the queues of its locks and ends, in one statement."""
    async with a_stand(fresh_database) as stand:
        now = [datetime.now(UTC)]
        resources = SimpleNamespace(
            database=stand.database,
            settings=SimpleNamespace(topic_partitions=SHARDS),
            mint=new_id,
            clock=SimpleNamespace(now=lambda: now[0]),
        )
        fields = {**stand._fields(APP), "workspace_id": WORKSPACE, "approval_required": True}
        command = PublishApp.model_validate(fields)
        asked = SqlSagas(resources)  # type: ignore[arg-type]  # what it reads of them
        context = trusted_context(actor_id=new_id(), workspace_id=WORKSPACE)
        saga = await asked.start(command, context)
        await _written(asked, stand)
        assert saga.wake_at is not None
        now[0] = saga.wake_at + timedelta(milliseconds=100)

        approved = SqlSagas(resources)  # type: ignore[arg-type]
        found = await approved.get(saga.id)
        assert found is not None
        ended = await approved.signal(found, approved=True, by="ann")
        await _written(approved, stand)

        assert ended.status == Status.COMPENSATED
        assert await stand.database.fetch("SELECT key FROM entity_lock") == []
