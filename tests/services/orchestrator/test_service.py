"""The orchestrator's HTTP door on real servers: at once, idempotent, and by workspace."""

from uuid import UUID

from chassis.clock import derived_id, new_id
from chassis.messaging.inbox import prune_inbox
from contracts.operation import OperationUnknown
from services.gateway.scope import KEYED
from tests.services.orchestrator.caller import Caller


async def test_a_start_answers_an_operation_and_writes_saga_and_command(caller: Caller) -> None:
    answer = await caller.publish()

    operation = answer.json()["data"]
    assert answer.status_code == 200
    assert operation["state"] == "RUNNING"
    sagas = await caller.database.fetch("SELECT id, status FROM saga_instance")
    assert [(str(row["id"]), row["status"]) for row in sagas] == [
        (operation["operation_id"], "RUNNING")
    ]


async def test_the_same_command_id_starts_one_saga(caller: Caller) -> None:
    command_id, app_id, revision_id = new_id(), str(new_id()), str(new_id())
    fields = {"app_id": app_id, "revision_id": revision_id}

    first = await caller.publish(command_id, **fields)
    again = await caller.publish(command_id, **fields)
    other = await caller.publish(command_id, **{**fields, "app_id": str(new_id())})

    assert first.json() == again.json()
    assert other.status_code == 409
    assert other.json()["type"] == "idempotency_key_reused"
    assert await caller.database.fetchval("SELECT count(*) FROM saga_instance") == 1


async def test_a_start_given_again_after_the_end_answers_the_same_saga(caller: Caller) -> None:
    """Its saga has ended, and weeks and months were pruned meanwhile."""
    command_id = derived_id(KEYED, "publish")
    fields = {"app_id": str(new_id()), "revision_id": str(new_id())}
    first = await caller.publish(command_id, **fields)
    await caller.database.execute(
        "UPDATE saga_instance SET status = 'COMPLETED', next_wake_at = NULL"
    )
    await prune_inbox(caller.database, 7 * 86_400)
    await caller.database.execute("SELECT prune_sagas(interval '90 days')")

    again = await caller.publish(command_id, **fields)

    assert first.json() == again.json()
    assert await caller.database.fetchval("SELECT count(*) FROM saga_instance") == 1


async def test_two_publishes_of_one_app_queue(caller: Caller) -> None:
    app_id = str(new_id())

    first = await caller.publish(app_id=app_id)
    second = await caller.publish(app_id=app_id)

    states = [answer.json()["data"]["state"] for answer in (first, second)]
    assert states == ["RUNNING", "WAITING"]


async def test_operations_are_listed_newest_first_in_pages(caller: Caller) -> None:
    started = [(await caller.publish()).json()["data"]["operation_id"] for _ in range(3)]

    first = await caller.list(limit=2)
    second = await caller.list(limit=2, cursor=first["cursor_next"])

    pages = [[one["operation_id"] for one in page["operations"]] for page in (first, second)]
    assert pages == [[started[2], started[1]], [started[0]]]
    assert second["cursor_next"] == ""


async def test_a_cursor_of_no_page_is_invalid_input(caller: Caller) -> None:
    answer = await caller.send(
        "queries", "ListOperations", "workspace.read", {"cursor": "third page, please"}
    )

    assert answer.status_code == 400


async def test_another_workspace_sees_nothing(caller: Caller) -> None:
    operation_id = (await caller.publish()).json()["data"]["operation_id"]

    foreign = await caller.get(operation_id, workspace_id=UUID(int=99))
    own = await caller.get(operation_id)

    assert foreign.status_code == 422
    assert foreign.json()["type"] == OperationUnknown.address.type
    assert own.json()["data"]["operation_id"] == operation_id


async def test_cancelling_compensates(caller: Caller) -> None:
    operation_id = (await caller.publish()).json()["data"]["operation_id"]

    cancelled = (await caller.cancel(operation_id)).json()["data"]

    assert cancelled["state"] == "COMPENSATING"
    assert cancelled["error_type"] == "orchestrator.SagaCancelled.v1"
    assert (await caller.get(operation_id)).json()["data"] == cancelled


async def test_metrics_tell_of_open_sagas(caller: Caller) -> None:
    await caller.publish()

    text = await caller.raw("/metrics")

    assert 'basalt_sagas_started_total{saga="publish_app"}' in text
    assert "basalt_saga_oldest_overdue_seconds" in text
