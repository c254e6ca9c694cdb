"""The real process-compose: it is reached by its owner alone, starts, lists and ends."""

import json
import stat
from pathlib import Path

import pytest

from infra.local.places import Ports, Unfit
from infra.local.prepare import prepare
from infra.local.stack import Stack
from infra.local.supervisor import Supervisor


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    prepare(("binaries",))
    (tmp_path / "logs").mkdir()
    return Stack(tmp_path, Ports(7400), {})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """One process that waits until it is told to end."""
    block = {"command": "exec tail -f /dev/null"}
    written = tmp_path / "process-compose.json"
    written.write_text(json.dumps({"version": "0.5", "processes": {"waiting": block}}))
    return written


def test_it_is_reached_by_its_owner_alone_and_ends(stack: Stack, file: Path) -> None:
    control = stack.data / "supervisor" / "control.sock"
    control.parent.mkdir(mode=0o700)
    control.touch()  # what one that was killed leaves behind
    supervisor = Supervisor(stack)

    supervisor.start(file)
    listed = [process.name for process in supervisor.processes()]
    mode = stat.S_IMODE(control.parent.stat().st_mode)
    is_socket = stat.S_ISSOCK(control.stat().st_mode)
    supervisor.stop()

    assert listed == ["waiting"]
    assert is_socket
    assert mode == 0o700
    assert not supervisor.running


def test_a_path_too_long_for_a_socket_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(Unfit, match="choose a shorter BASALT_DATA"):
        Supervisor(Stack(tmp_path / ("x" * 100), Ports(7400), {}))
