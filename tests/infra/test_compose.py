"""docker-compose.yml is what the compose specification allows, and what the local stack is."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.local.places import ROOT
from infra.local.stack import SERVICES
from tests.infra.described import a_stack, by_name, variables

BUILD_TIMEOUT_S = 300
SERVERS = {"postgres", "kafka", "mongo", "redis", "payments"}
OURS = {"payments"}  # made from this checkout
SECRETS = ("CONTEXT_KEY", "POSTGRES_PASSWORD", "DATABASE_PASSWORD")
Project = dict[str, Any]  # the loader's JSON

needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="the loader is built with Go")


def load(file: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Load with the compose specification's own loader."""
    return subprocess.run(
        ["go", "run", ".", str(file)],
        cwd=ROOT / "infra" / "docker" / "check",
        env={**os.environ, "GOFLAGS": "-trimpath", **environment},
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
        check=False,
    )


@pytest.fixture(scope="module")
def project() -> Project:
    loaded = load(ROOT / "docker-compose.yml", **dict.fromkeys(SECRETS, "a-secret"))
    assert loaded.returncode == 0, loaded.stderr
    found: Project = json.loads(loaded.stdout)
    return found


@needs_go
def test_it_has_the_same_servers_and_services(project: Project) -> None:
    services = {service.name for service in SERVICES}

    assert set(project["services"]) == SERVERS | services | {"provision"}


@needs_go
@pytest.mark.parametrize("name", [service.name for service in SERVICES])
def test_a_service_reads_the_same_variables(project: Project, name: str, tmp_path: Path) -> None:
    found = set(project["services"][name]["environment"])

    assert found == variables(a_stack(tmp_path), by_name(name))


@needs_go
@pytest.mark.parametrize("name", [service.name for service in SERVICES])
def test_a_service_waits_for_what_it_uses(project: Project, name: str) -> None:
    service = by_name(name)

    found = {
        other: needed["condition"]
        for other, needed in project["services"][name]["depends_on"].items()
    }

    assert found == {
        "provision": "service_completed_successfully",
        **dict.fromkeys((*service.servers, *service.calls), "service_healthy"),
    }


@needs_go
def test_every_service_is_healthy_when_it_is_ready(project: Project) -> None:
    for service in SERVICES:
        probe = project["services"][service.name]["healthcheck"]["test"]
        assert "http://127.0.0.1:8000/readyz" in probe[-1], service.name
    for server in SERVERS:
        assert project["services"][server]["healthcheck"]["test"], server


@needs_go
def test_only_the_gateway_is_reached_from_outside(project: Project) -> None:
    assert [name for name, each in project["services"].items() if each.get("ports")] == ["gateway"]


@needs_go
def test_the_provision_step_reads_the_same_variables(project: Project, tmp_path: Path) -> None:
    found = set(project["services"]["provision"]["environment"])

    assert found == set(a_stack(tmp_path).provision_environment())


@needs_go
def test_images_are_pinned_to_a_full_version(project: Project) -> None:
    for server in SERVERS - OURS:
        image = project["services"][server]["image"]
        assert re.search(r":\d+\.\d+(\.\d+)?(-[\w.]+)?$", image), image
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("FROM"):
            assert re.search(r"python:3\.11\.\d+-", line), line


@needs_go
def test_a_missing_secret_is_said_with_the_remedy() -> None:
    loaded = load(ROOT / "docker-compose.yml", POSTGRES_PASSWORD="p", DATABASE_PASSWORD="d")

    assert loaded.returncode != 0
    assert "CONTEXT_KEY" in loaded.stderr
    assert "set it in .env" in loaded.stderr


@needs_go
def test_the_loader_refuses_what_the_specification_does_not_know(tmp_path: Path) -> None:
    file = tmp_path / "docker-compose.yml"
    file.write_text("services:\n  one:\n    image: a:1.0\n    helthcheck: {}\n")

    assert load(file).returncode != 0
