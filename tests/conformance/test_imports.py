"""Import arrows point one way, and importing a service is quick."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.tidy import ROOT

SERVICES = sorted(path.parent.name for path in ROOT.glob("services/*/main.py"))
SECONDS_MAX = 4.0
"""CPU time of one service's imports. Seven of them share a cold start on two cores."""

HEAVY = {
    "motor": {"activity", "studio"},
    "alembic": set(),
    "sqlalchemy": set(),
    "strawberry": {"gateway"},
    "faststream": None,  # whoever consumes, once it runs
}
"""What only some services may load when they are imported; None: nobody."""

MEASURE = """
import sys, time
sys.argv = ["service"]
import services.{name}.main
print(time.process_time())
print(*sorted({{name.partition(".")[0] for name in sys.modules}}))
"""


def imported(name: str) -> tuple[float, set[str]]:
    """CPU seconds of importing a service in a fresh interpreter, and what it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE.format(name=name)],
        capture_output=True, cwd=ROOT, timeout=60, check=True, text=True,
    )  # fmt: skip
    seconds, modules = done.stdout.strip().splitlines()[-2:]
    return float(seconds), set(modules.split())


def lint(config: Path) -> subprocess.CompletedProcess[str]:
    """import-linter, as `make check` runs it."""
    tool = Path(sys.executable).parent / "lint-imports"
    return subprocess.run(
        [tool, "--config", str(config), "--no-cache"],
        capture_output=True, cwd=ROOT, timeout=120, check=False, text=True,
    )  # fmt: skip


def test_the_arrows_point_one_way() -> None:
    done = lint(ROOT / "pyproject.toml")

    assert done.returncode == 0, done.stdout


def test_an_arrow_that_points_back_is_found(tmp_path: Path) -> None:
    config = tmp_path / "planted.toml"
    config.write_text(
        "[tool.importlinter]\n"
        'root_packages = ["chassis", "contracts", "services"]\n'
        "[[tool.importlinter.contracts]]\n"
        'name = "planted"\ntype = "layers"\nlayers = ["contracts", "chassis", "services"]\n'
    )

    done = lint(config)

    assert done.returncode == 1
    assert "chassis is not allowed to import" in done.stdout or "BROKEN" in done.stdout


@pytest.mark.parametrize("name", SERVICES)
def test_importing_a_service_is_within_its_budget(name: str) -> None:
    seconds, modules = imported(name)

    assert seconds < SECONDS_MAX
    for heavy, allowed in HEAVY.items():
        if heavy in modules:
            assert name in (allowed or set()), f"{name} loads {heavy} when imported"
