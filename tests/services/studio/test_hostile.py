"""Hostile apps through the studio on real stores: kept to the byte, told what is wrong with them,
renamed, in bounded time; and whoever asks for something else meanwhile is answered."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest

from chassis.clock import SystemClock, new_id
from chassis.errors import Rejected
from contracts.studio.app import (
    Direction,
    Findings,
    GetDependencies,
    GetEvaluationOrder,
    RemoveEntity,
    RenameEntity,
    RenameOutcome,
    SourceInvalid,
    ValidateApp,
    WhatBreaks,
)
from services.studio.views.references import (
    get_dependencies,
    get_evaluation_order,
    validate_app,
    what_breaks,
)
from tests.services.studio.desk import Desk
from tests.services.studio.test_imports import exported, zipped

Json = dict[str, Any]  # JSON of a foreign format
MANY = 10_000
CPU_S_MAX = 60
"""For one step of a hostile app: far above what it takes, far below what a fault costs."""

QUERY = "query:pages/Home/queries/Q"
NOISE = Random(1).randbytes(2_000_000).hex()


def a_page(widgets: Json, query: str = "Q", body: str = "1", script: str = "") -> dict[str, bytes]:
    """An app of format 5: widgets by name, a query, and a script `S` where there is one."""
    root = {"type": "CANVAS_WIDGET", "widgetId": "0", "widgetName": "MainContainer"}
    action = {"name": query, "actionConfiguration": {"body": body}}
    files: Json = {
        "application.json": {"pages": [{"id": "Home", "isDefault": True}]},
        "metadata.json": {"fileFormatVersion": 5},
        "pages/Home/Home.json": {"unpublishedPage": {"name": "Home", "layouts": [{"dsl": root}]}},
        f"pages/Home/queries/{query}/metadata.json": {"unpublishedAction": action},
    }
    if script:
        value = {"unpublishedCollection": {"name": "S"}}
        files["pages/Home/jsobjects/S/metadata.json"] = value
    for number, (name, own) in enumerate(widgets.items()):
        known = {"widgetName": name, "widgetId": f"w{number}", "type": "T", "parentId": "0"}
        files[f"pages/Home/widgets/{name}.json"] = {**known, **own}
    written = {path: json.dumps(one, ensure_ascii=False).encode() for path, one in files.items()}
    written[f"pages/Home/queries/{query}/{query}.txt"] = body.encode()
    return written | ({"pages/Home/jsobjects/S/S.js": script.encode()} if script else {})


def a_text(code: str, **more: Any) -> dict[str, bytes]:
    """One widget with that code and a use of the query beside it."""
    return a_page({"A": {"text": f"{{{{ {code} }}}}", "label": "{{ Q.data }}", **more}})


def held(name: str, inside: str) -> Json:
    """A container; which names another as what it is in."""
    canvas = {"widgetId": f"c{name}", "type": "CANVAS_WIDGET"}
    return {"parentId": f"c{inside}", "children": [canvas], "text": "{{ Q.data }}"}


TEXT = "text"
FUNCTIONS = "".join(f"f{n}() {{ return Q.data }}, " for n in range(MANY // 4))
CASES: dict[str, tuple[dict[str, bytes], set[str]]] = {
    "megabytes of code": (a_text(f"Q.data + '{NOISE}'"), {"unclear"}),
    "brackets": (a_text("[" * MANY + "Q" + "]" * MANY), set()),
    "braces": (a_text("{a:" * MANY + "Q" + "}" * MANY), set()),
    "templates": (a_text("`${" * MANY + "Q" + "}`" * MANY), set()),
    "functions": (a_text("(Q => " * MANY + "Q" + ")" * MANY), set()),
    "calls": (a_text("Q" + ".run()" * MANY), set()),
    "a chain": (a_text("Q" + ".data" * 5 * MANY), set()),
    "open brackets": (a_text("[" * MANY), {"broken"}),
    "braces never closed": (a_text("Q.data " + "{" * MANY), {"broken"}),
    "braces without end": (a_page({"A": {TEXT: "{{" * MANY + "}}", "label": "{{Q}}"}}), {"broken"}),
    "broken code": (a_text("Q.data +"), {"broken"}),
    "a keyword": (a_text("class.data + if"), {"broken"}),
    "escapes": (a_text("\\u0051.data + \\u{51}"), set()),
    "no identifier": (a_text("Q\u200b.data"), {"broken"}),
    "nul": (a_text("Q\0"), {"broken"}),
    "many uses": (a_page({f"A{n}": {TEXT: "{{ Q.data }}" * 1000} for n in range(100)}), set()),
    "a ring": (a_page({"A": held("A", "B"), "B": held("B", "C"), "C": held("C", "A")}), set()),
    "inside of itself": (a_page({"A": held("A", "A")}), set()),
    "many entities": (a_page({f"A{n}": {TEXT: "{{ Q.data }}"} for n in range(MANY)}), set()),
    "a row of entities": (
        a_page({f"A{n}": {TEXT: f"{{{{ A{n + 1}.text }}}}"} for n in range(MANY // 4)}),
        {"missing", "unused"},
    ),
    "many names that nothing has": (
        a_page({"A": {TEXT: "".join(f"{{{{ N{n}.x }}}} " for n in range(MANY))}}),
        {"missing"},
    ),
    "deep values": (
        {
            **a_text("Q.data"),
            "pages/Home/widgets/Deep.json": b'{"widgetName":"Deep","type":"T","a":'
            + b'{"a":' * 900
            + b'"{{ Q.data }}"'
            + b"}" * 901,
        },
        set(),
    ),
    "a long key": (a_page({"A": {"k" * 10 * MANY: "{{ Q.data }}"}}), set()),
    "a script of many functions": (
        a_page({}, script=f"export default {{ {FUNCTIONS} }}"),
        {"unused"},
    ),
}


@asynccontextmanager
async def a_bystander(desk: Desk) -> AsyncIterator[list[int]]:
    """Somebody who asks for another app all the time; how many entities each answer had."""
    app, answers, clock = await desk.app("Other"), list[int](), SystemClock()

    async def ask() -> None:
        while True:
            answers.append(len(await desk.entities(app.app_id)))
            await clock.sleep(0.02)

    asking = asyncio.create_task(ask())
    try:
        yield answers
        assert not asking.done()
    finally:
        asking.cancel()
        await asyncio.wait([asking])


async def step(desk: Desk, work: Any) -> Any:  # an awaitable, and what it gives
    began = time.process_time()
    answer = await work
    assert time.process_time() - began < CPU_S_MAX
    return answer


@pytest.mark.parametrize("case", CASES)
async def test_a_hostile_app_is_kept_told_and_renamed(desk: Desk, case: str) -> None:
    files, rules = CASES[case]

    async with a_bystander(desk) as answers:
        imported = await step(desk, desk.imported(zipped(files), new_id()))
        told = {"workspace_id": desk.workspace_id, "app_id": imported.app_id}
        await asked(desk, told, rules)
        there = RenameEntity(**told, **the_query(1), name="R1")
        done = await step(desk, desk.studio.send(there))
        assert isinstance(done, RenameOutcome)
        back = RenameEntity(**told, **the_query(done.entity_version, "R1"), name="Q")
        await step(desk, desk.studio.send(back))

    assert done.entity_id == "query:pages/Home/queries/R1"
    now = await exported(desk, imported.app_id)
    respelled = {"pages/Home/widgets/A.json"} if case == "escapes" else set()
    assert now.keys() == files.keys()
    assert {path for path in files if now[path] != files[path]} == respelled
    assert len({*answers}) == 1


def the_query(version: int, name: str = "Q") -> Json:
    return {"entity_id": f"query:pages/Home/queries/{name}", "expected_version": version}


async def asked(desk: Desk, told: Json, rules: set[str]) -> None:
    """Every question about references has its answer."""
    findings: Findings = await step(
        desk, validate_app(ValidateApp(**told), desk.database, desk.graphs)
    )
    assert {one.rule.value for one in findings.findings} == rules
    for query in (
        GetDependencies(**told, entity_id=QUERY, direction=Direction.USED_BY, depth=100),
        GetDependencies(**told, entity_id=QUERY, direction=Direction.USES),
    ):
        await step(desk, get_dependencies(query, desk.database, desk.graphs))
    order = GetEvaluationOrder(**told, page="Home")
    await step(desk, get_evaluation_order(order, desk.database, desk.graphs))
    breaks = WhatBreaks(**told, entity_id=QUERY)
    await step(desk, what_breaks(breaks, desk.database, desk.graphs))


async def test_containers_in_a_ring_go_with_what_is_in_them(desk: Desk) -> None:
    files, _ = CASES["a ring"]
    imported = await desk.imported(zipped(files), new_id())
    told = {"workspace_id": desk.workspace_id, "app_id": imported.app_id}
    ring = "widget:pages/Home/widgets/A.json"

    await desk.studio.send(RemoveEntity(**told, entity_id=ring, expected_version=1))

    left = {path for path in await exported(desk, imported.app_id) if "/widgets/" in path}
    assert left == set()


@pytest.mark.parametrize(
    "name", ["class", "await", "this", "Q\u200b", "\u2060", "Q R", "1", "\\u0051", "", "x" * 300]
)
async def test_a_name_that_code_cannot_say_is_refused(desk: Desk, name: str) -> None:
    imported = await desk.imported(zipped(a_text("Q.data")), new_id())
    told = {"workspace_id": desk.workspace_id, "app_id": imported.app_id}
    before = await exported(desk, imported.app_id)

    with pytest.raises((Rejected, ValueError)) as refused:
        await desk.studio.send(RenameEntity(**told, **the_query(1), name=name))

    if isinstance(refused.value, Rejected):
        assert isinstance(refused.value.rejection, SourceInvalid)
        assert refused.value.rejection.field == "name"
    assert await exported(desk, imported.app_id) == before


@pytest.mark.parametrize("name", ["é", "变量", "𠮷", "ℌ", "$_", "ªº", "x\u0301"])
async def test_a_name_of_any_script_is_taken_there_and_back(desk: Desk, name: str) -> None:
    files = a_text("Q.data + (q => q)(Q)")
    imported = await desk.imported(zipped(files), new_id())
    told = {"workspace_id": desk.workspace_id, "app_id": imported.app_id}

    done = await desk.studio.send(RenameEntity(**told, **the_query(1), name=name))
    assert isinstance(done, RenameOutcome)
    await asked_of(desk, told, name)
    await desk.studio.send(RenameEntity(**told, **the_query(done.entity_version, name), name="Q"))

    assert await exported(desk, imported.app_id) == files


async def asked_of(desk: Desk, told: Json, name: str) -> None:
    query = GetDependencies(**told, entity_id=f"query:pages/Home/queries/{name}")
    (user,) = (await get_dependencies(query, desk.database, desk.graphs)).dependencies
    assert sorted(one.members for one in user.places) == ["", "data", "data"]
