"""What is wrong with an app, told by the operation that published it, or did not."""

from typing import Any

from contracts.operation import GetOperation, OperationState
from contracts.studio.app import (
    AppNotPublishable,
    BoundValue,
    CodePlace,
    EntityKind,
    Finding,
    FindingRule,
    Severity,
)
from services.gateway import ids
from tests.services.gateway.builders import an_operation
from tests.services.gateway.fakes import APP, WORKSPACE, a_client, a_world, graphql

LISTED = "rule name page missing meant entityId place { path start end } cycle { entityId path }"
ASK = f"""query($id: ID!) {{ operation(id: $id) {{ state result
    warningsCount warnings {{ {LISTED} }}
    error {{ code ... on AppNotPublishable {{ reason problemsCount problems {{ {LISTED} }} }} }}
    }} }}"""
LABEL = ids.encode("Entity", WORKSPACE, APP, "widget:Label")


def a_finding(**changes: Any) -> Finding:
    return Finding(
        **{
            "rule": FindingRule.MISSING,
            "severity": Severity.ERROR,
            "entity_id": "widget:Label",
            "kind": EntityKind.WIDGET,
            "name": "Label",
            "page": "Home",
            **changes,
        }
    )


async def asked(**fields: Any) -> dict[str, Any]:
    """An operation with these fields, as a client sees it."""
    operation = an_operation(subject_id=str(APP), **fields)
    world, _ = a_world({GetOperation: operation})
    name = ids.encode("Operation", WORKSPACE, "orchestrator", operation.operation_id)
    async with a_client(world) as client:
        answer = await graphql(client, ASK, id=name)
    return dict(answer["data"]["operation"])


async def test_a_refused_publish_lists_what_to_change() -> None:
    place = CodePlace(path="text", start=3, end=7)
    refusal = AppNotPublishable(
        app_id=APP,
        reason="1 problem",
        problems=[a_finding(missing="Totl", meant="Total", place=place)],
        problems_count=1,
    )

    found = await asked(
        state=OperationState.COMPENSATED,
        error_type=refusal.address.type,
        error=refusal.model_dump(mode="json"),
    )

    error = found["error"]
    assert (error["code"], error["reason"]) == ("APP_NOT_PUBLISHABLE", "1 problem")
    assert error["problemsCount"] == 1
    assert error["problems"] == [
        {
            "rule": "MISSING",
            "name": "Label",
            "page": "Home",
            "missing": "Totl",
            "meant": "Total",
            "entityId": LABEL,
            "place": {"path": "text", "start": 3, "end": 7},
            "cycle": [],
        }
    ]
    assert found["warnings"] == []


async def test_a_publish_of_what_was_imported_shows_its_warnings() -> None:
    value = BoundValue(entity_id="widget:Label", name="Label", path="text")
    warning = a_finding(rule=FindingRule.CYCLE, cycle=[value])

    found = await asked(
        state=OperationState.COMPLETED,
        result={
            "warnings": [warning.model_dump(mode="json")],
            "warnings_count": 7,
            "bundle_digest": "abc",
        },
    )

    (shown,) = found["warnings"]
    assert (shown["rule"], shown["cycle"]) == ("CYCLE", [{"entityId": LABEL, "path": "text"}])
    assert found["warningsCount"] == 7
    assert found["result"] == {"bundle_digest": "abc"}
    assert found["error"] is None


async def test_other_work_has_no_warnings() -> None:
    found = await asked(result={"files": 3})

    assert (found["warnings"], found["warningsCount"]) == ([], 0)
