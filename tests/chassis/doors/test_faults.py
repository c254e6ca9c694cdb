"""The fault door: only where faults are on, only for operators, never in production."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from chassis.clock import SystemClock, new_id
from chassis.context import Context, sign
from chassis.doors.faults import fault_routers
from chassis.faults import FAULTS
from chassis.service import CannotStart
from chassis.settings import ServiceSettings

KEY = "a key for the tests of faults"
CLOCK = SystemClock()
RULE = {"point": "participant.handle", "action": "refuse", "step": "Count"}


def settings(**given: str) -> ServiceSettings:
    return ServiceSettings(context_key=KEY, **given)  # type: ignore[arg-type]


def headers(permission: str = "operator", *, key: str = KEY) -> dict[str, str]:
    context = Context(new_id(), None, permission, CLOCK.now() + timedelta(seconds=60))
    return {"basalt-context": sign(context, key.encode())}


@pytest.fixture
async def door() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    for router in fault_routers(settings(faults="staging", environment="staging"), CLOCK, "toy"):
        app.include_router(router)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
        yield client
    FAULTS.stop_all()


async def test_a_rule_is_armed_shown_and_stopped(door: httpx.AsyncClient) -> None:
    armed = await door.post("/faults", json=RULE, headers=headers())
    shown = await door.get("/faults", headers=headers())
    stopped = await door.delete("/faults", headers=headers())
    after = await door.get("/faults", headers=headers())

    assert armed.status_code == 200
    assert [rule["rule_id"] for rule in shown.json()["rules"]] == [armed.json()["rule_id"]]
    assert 0 < shown.json()["rules"][0]["expires_in_s"] <= 60
    assert "participant.handle" in shown.json()["points"]
    assert stopped.json() == {"stopped": 1}
    assert after.json()["rules"] == []
    assert not FAULTS.armed


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
@pytest.mark.parametrize(
    ("sent", "status"),
    [({}, 401), (headers("app.publish"), 403), (headers(key="another key, of someone"), 403)],
)
async def test_nobody_but_an_operator_may(
    door: httpx.AsyncClient, method: str, sent: dict[str, str], status: int
) -> None:
    response = await door.request(method, "/faults", headers=sent)

    assert (response.status_code, response.json()["type"]) == (status, "forbidden")
    assert not FAULTS.armed


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"point": "nowhere", "action": "kill"}', "point"),
        (b'{"point": "saga.tick", "action": "kill", "expires_in_s": 601}', "expires_in_s"),
        (b'{"point": "saga.tick"}', "action"),
        (b"no json", ""),
        (b'"' + b"x" * 20_000 + b'"', ""),
    ],
)
async def test_a_wrong_rule_is_refused_by_the_name_of_its_field(
    door: httpx.AsyncClient, body: bytes, field: str
) -> None:
    response = await door.post("/faults", content=body, headers=headers())

    assert (response.status_code, response.json()["type"]) == (400, "invalid")
    assert field in [error["field"] for error in response.json()["errors"]]
    assert not FAULTS.armed


def test_without_the_setting_there_is_no_door() -> None:
    assert fault_routers(settings(environment="staging"), CLOCK, "toy") == []


def test_production_refuses_to_start_with_faults() -> None:
    with pytest.raises(CannotStart, match="FAULTS=staging in an environment named production"):
        fault_routers(settings(faults="staging", environment="production"), CLOCK, "toy")
