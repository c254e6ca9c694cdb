"""`make lock`: pin pyproject.toml's dependencies with hashes and without index addresses.

Needs uv, which nothing else here does: it is installed into a folder that is thrown away.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = ("--generate-hashes", "--no-emit-index-url", "--no-header", "--quiet")
TIMEOUT_S = 600


def main() -> None:
    """Write requirements.lock, and those of the bench and of the mutants."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "uv"]
        _run(pip)
        compile_ = [f"{folder}/bin/uv", "pip", "compile", "pyproject.toml", *OPTIONS]
        _run([*compile_, "--group", "dev", "--group", "local", "-o", "requirements.lock"])
        bench = ["--group", "bench", "-c", "requirements.lock", "-o", "requirements-bench.lock"]
        _run([*compile_, *bench])
        groups = ["--group", "dev", "--group", "mutants", "-c", "requirements.lock"]
        _run([*compile_, *groups, "-o", "requirements-mutants.lock"])


def _run(command: list[str]) -> None:
    subprocess.run(command, cwd=ROOT, timeout=TIMEOUT_S, check=True)  # noqa: S603  # our own


if __name__ == "__main__":
    main()
