"""The local stack: what is ours to start, what fits, and one clear line for what is in the way."""

import json
import os
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local import compose, prepare
from infra.local.places import ROOT, Ports, Unfit, demand_disk
from infra.local.servers import POSTGRES_CONNECTIONS_MAX
from infra.local.stack import POSTGRES_POOL_MAX, SERVICES, Stack
from tests.infra.described import a_stack

SETUP_CONNECTIONS = 30
"""For administrators, provisioning and the relays' listeners."""
A_WEEK_S = 7 * 86_400


def test_the_pools_of_two_replicas_fit_into_postgres() -> None:
    with_database = [service for service in SERVICES if "postgres" in service.servers]

    wanted = len(with_database) * POSTGRES_POOL_MAX * 2

    assert wanted + SETUP_CONNECTIONS <= POSTGRES_CONNECTIONS_MAX


def test_two_stacks_with_other_bases_share_no_port(tmp_path: Path) -> None:
    def ports(base: int) -> set[int]:
        stack = Stack(tmp_path, Ports(base), {})
        servers = {server.port for server in stack.servers()}
        return servers | {stack.port(service) for service in SERVICES}

    assert ports(7400) & ports(7500) == set()
    assert len(ports(7400)) == 6 + len(SERVICES)


@pytest.mark.parametrize(
    ("variable", "value", "embedded"),
    [
        ("POSTGRES_URL", "postgresql://admin:pw@db.example:5432/postgres", {"postgres"}),
        ("KAFKA_BOOTSTRAP", "kafka.example:9092", {"kafka"}),
        ("MONGO_URL", "mongodb://mongo.example/", {"mongo", "mongo_store"}),
        ("REDIS_URL", "redis://redis.example/0", {"redis"}),
        ("PAYMENTS_URL", "https://pay.example/v1", {"payments"}),
    ],
)
def test_an_external_server_is_used_and_its_twin_is_not_started(
    tmp_path: Path, variable: str, value: str, embedded: set[str]
) -> None:
    everything = {server.name for server in a_stack(tmp_path).servers()}

    stack = a_stack(tmp_path, **{variable: value})

    assert everything - {server.name for server in stack.servers()} == embedded
    users = [s for s in SERVICES if variable in stack.service_environment(s)]
    host = re.search(r"\w+\.example", value)
    assert users
    assert host
    for service in users:
        assert host.group() in stack.service_environment(service)[variable]


def test_the_supervisors_file_is_the_owners_alone_and_runs_every_service(tmp_path: Path) -> None:
    stack = Stack(tmp_path, Ports(7400), {}, replicas=2)

    file = compose.write(stack)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    processes = json.loads(file.read_text())["processes"]
    for service in SERVICES:
        assert {service.name, f"{service.name}-2"} <= processes.keys()


def test_who_waits_for_a_server_is_not_stopped_for_it(tmp_path: Path) -> None:
    """process-compose ends a process for good after so many failed probes in a row."""
    stack = Stack(tmp_path, Ports(7400), {})

    blocks = json.loads(compose.write(stack).read_text())["processes"].values()

    probes = [block["readiness_probe"] for block in blocks if "readiness_probe" in block]
    assert len(probes) > len(SERVICES)
    assert all(p["failure_threshold"] * p["period_seconds"] > A_WEEK_S for p in probes)


def test_the_signing_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    stack = a_stack(tmp_path)

    assert stack.secret() == stack.secret()
    assert stat.S_IMODE((tmp_path / "context.key").stat().st_mode) == 0o600


def run_up(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`make up` without its set-up."""
    return subprocess.run(
        [sys.executable, "-m", "infra.local.up", "up"],
        cwd=ROOT,
        env={**os.environ, "BASALT_DATA": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_taken_port_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        base = taken.getsockname()[1]

        done = run_up(tmp_path, BASALT_PORT_BASE=str(base), BASALT_DATA="/var/tmp/basalt-test")

    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert f"port {base} (gateway) is taken" in line
    assert "BASALT_PORT_BASE=" in line


@pytest.mark.parametrize("base", ["80", "many"])
def test_a_port_that_is_none_is_one_line(tmp_path: Path, base: str) -> None:
    done = run_up(tmp_path, BASALT_PORT_BASE=base)

    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_full_disk_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("infra.local.places.DISK_FREE_BYTES_MIN", 1 << 62)

    with pytest.raises(Unfit, match=r"GiB free at .*: make room"):
        demand_disk(tmp_path)


@pytest.mark.parametrize(
    ("tool", "least", "complaint"),
    [
        ("no-such-tool", (1,), "no-such-tool is missing: install it"),
        ("python3.11", (99,), r"python3.11 has version 3.11, at least 99 is needed: install it"),
    ],
)
def test_a_missing_or_old_tool_is_one_line(
    tool: str, least: tuple[int, ...], complaint: str
) -> None:
    with pytest.raises(Unfit, match=complaint):
        prepare.demand(tool, [tool, "--version"], r"(\d+\.\d+)", least, "install it")
