"""The lock pins everything by hash, names no registry, and is in step with pyproject.toml."""

import re
import subprocess
import tomllib

from infra.local.places import ROOT

HOSTS = re.compile(r"(pypi|pythonhosted|npmjs|maven\.org|proxy\.golang|crates)\.(org|io|com)", re.I)


def pins(name: str) -> dict[str, int]:
    """Pinned packages, with their number of hashes."""
    found: dict[str, int] = {}
    current = ""
    for line in (ROOT / name).read_text().splitlines():
        if match := re.match(r"^([a-zA-Z0-9._-]+)(\[[^]]*\])?==", line):
            current = match.group(1).lower().replace("_", "-")
            found[current] = 0
        found[current] = found.get(current, 0) + line.count("--hash=sha256:") if current else 0
    return {package: hashes for package, hashes in found.items() if package}


def test_every_pin_has_a_hash() -> None:
    for lock in ("requirements.lock", "requirements-bench.lock"):
        assert [package for package, hashes in pins(lock).items() if not hashes] == []


def test_what_pyproject_asks_for_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    asked = [*project["project"]["dependencies"], *groups["dev"], *groups["local"]]

    names = {re.split(r"[\[<>=~! ;]", line)[0].lower().replace("_", "-") for line in asked}

    assert names - pins("requirements.lock").keys() == set()
    assert "dbos" in pins("requirements-bench.lock")


def test_no_registry_is_named_in_the_repository() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    for name in listed.stdout.split():
        path = ROOT / name
        if path.is_file() and name != "tests/infra/test_lock.py":
            found = HOSTS.search(path.read_text(errors="replace"))
            assert found is None, f"{name}: {found and found.group()}"
