"""`./basalt fault` against a service's door for faults."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from chassis.clock import SystemClock
from chassis.doors.faults import fault_routers
from chassis.faults import FAULTS
from chassis.settings import ServiceSettings
from tools.basalt.__main__ import main

KEY = "only-for-tests-of-faults"


@pytest.fixture(params=["staging", "off"])
def billing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A service that is started with FAULTS=staging, or without."""
    settings = ServiceSettings(context_key=SecretStr(KEY), faults=request.param)
    app = FastAPI()
    for router in fault_routers(settings, SystemClock(), "billing"):
        app.include_router(router)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    monkeypatch.setenv("CONTEXT_KEY", KEY)
    monkeypatch.setenv("BILLING_URL", f"http://127.0.0.1:{port}")
    yield str(request.param)
    server.should_exit = True
    thread.join(10)
    FAULTS.stop_all()


def test_arm_list_and_stop(billing: str, capsys: pytest.CaptureFixture[str]) -> None:
    armed = ["arm", "billing", "outbox.after_commit", "delay", "--delay-ms", "5", "--times", "3"]

    codes = [main(["fault", *words]) for words in (armed, ["list", "billing"], ["stop", "billing"])]
    told = capsys.readouterr()

    if billing == "off":
        assert codes == [1, 1, 1]
        assert "was not started with FAULTS=staging" in told.err
        return
    assert codes == [0, 0, 0]
    assert told.out.count("delay at outbox.after_commit: fired 0, 60 s left") == 2
    assert "participant.handle" in told.out
    assert "billing: 1 stopped" in told.out


def test_what_is_no_rule_is_refused_by_its_field(
    billing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["fault", "arm", "billing", "nowhere", "kill"])

    assert code == 1
    if billing == "staging":
        assert "point: " in capsys.readouterr().err
