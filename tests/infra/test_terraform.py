"""The Terraform root module is valid, and tells the services what the local stack tells them."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.local.places import ROOT
from infra.local.stack import SERVICES
from tests.infra.described import a_stack, variables

MODULE = ROOT / "infra" / "terraform"
TIMEOUT_S = 60
VALUES = """
context_key       = "0123456789abcdef"
postgres_address  = "postgres:5432"
database_password = "a-secret"
kafka_bootstrap   = "kafka:9092"
mongo_url         = "mongodb://mongo:27017/"
redis_url         = "redis://redis:6379/0"
payments_url      = "http://payments:8000"
"""
QUESTION = "jsonencode({for name, all in nonsensitive(local.environment): name => keys(all)})"

pytestmark = pytest.mark.skipif(
    shutil.which("terraform") is None, reason="terraform is not on this machine"
)


def terraform(folder: Path, *arguments: str, say: str = "") -> subprocess.CompletedProcess[str]:
    """Run it on a copy of the module, without a look at the user's configuration."""
    return subprocess.run(
        ["terraform", *arguments],
        cwd=folder,
        env={**os.environ, "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"},
        input=say,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, so that nothing is written into the tree."""
    folder = tmp_path_factory.mktemp("terraform") / "module"
    shutil.copytree(MODULE, folder, ignore=shutil.ignore_patterns(".terraform*"))
    started = terraform(folder, "init", "-backend=false", "-no-color")
    assert started.returncode == 0, started.stderr
    return folder


def test_the_module_is_valid_and_formatted(module: Path) -> None:
    validated = terraform(module, "validate", "-no-color")
    formatted = terraform(module, "fmt", "-check", "-no-color")

    assert validated.returncode == 0, validated.stdout + validated.stderr
    assert formatted.stdout == ""


def test_each_service_is_told_the_same_variables(module: Path, tmp_path: Path) -> None:
    (module / "test.tfvars").write_text(VALUES)

    answer = terraform(module, "console", "-var-file=test.tfvars", say=QUESTION)

    assert answer.returncode == 0, answer.stderr
    found = {name: set(keys) for name, keys in json.loads(json.loads(answer.stdout)).items()}
    stack = a_stack(tmp_path)
    assert found == {service.name: variables(stack, service) for service in SERVICES}


def test_a_short_key_is_refused_with_the_rule(module: Path) -> None:
    (module / "short.tfvars").write_text(VALUES.replace("0123456789abcdef", "short"))

    answer = terraform(module, "plan", "-var-file=short.tfvars", "-no-color", "-input=false")

    assert answer.returncode != 0
    assert "at least 16 characters" in answer.stderr
