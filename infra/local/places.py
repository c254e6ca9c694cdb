"""Where things lie: the cache of built tools, the data of a stack, the ports. Stdlib only.

Everything can be changed from one place: `BASALT_CACHE`, `BASALT_DATA`, `BASALT_PORT_BASE`.
"""

import hashlib
import os
import pwd
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DISK_FREE_BYTES_MIN = 2 * 1024**3


class Unfit(Exception):
    """Something is missing or in the way; the text is one line and ends with the remedy."""


def server_user() -> str | None:
    """PostgreSQL refuses to run as root: the system user it runs as then, else None."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise Unfit("running as root, and there is no user postgres or nobody: useradd -r postgres")


def as_server_user() -> list[str]:
    """The command prefix that drops root's rights."""
    user = server_user()
    if user is None:
        return []
    if not shutil.which("setpriv"):
        raise Unfit("setpriv is missing: install util-linux")
    return ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups"]


def give_to_server_user(folder: Path) -> None:
    """Make a folder that the server user owns."""
    folder.mkdir(parents=True, exist_ok=True)
    user = server_user()
    if user is not None:
        shutil.chown(folder, user)
        folder.chmod(0o700)


def reachable(folder: Path) -> bool:
    """Whether the server user can get to a folder (or to where it will be made)."""
    if server_user() is None:
        return True
    parents = [p for p in (folder, *folder.parents) if p.exists()]
    return all(parent.stat().st_mode & 0o001 for parent in parents)


def cache_folder() -> Path:
    """Built tools, shared by all checkouts of this machine."""
    given = os.environ.get("BASALT_CACHE")
    if given:
        return Path(given).resolve()
    if os.geteuid() == 0:
        return Path("/var/cache/basalt")
    return Path.home() / ".cache" / "basalt"


def data_folder() -> Path:
    """A stack's data. A checkout that the server user can't reach keeps it under /var/lib."""
    given = os.environ.get("BASALT_DATA")
    folder = Path(given).resolve() if given else ROOT / ".basalt"
    if reachable(folder):
        return folder
    if given:
        raise Unfit(
            f"user {server_user()} can't reach BASALT_DATA={folder}: choose a folder whose parents"
            " are open (chmod o+x), or run as another user than root"
        )
    name = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    return Path("/var/lib/basalt") / name


def demand_disk(folder: Path) -> None:
    """Unfit when the disk is about full."""
    place = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(place).free
    if free < DISK_FREE_BYTES_MIN:
        raise Unfit(
            f"only {free / 1024**3:.1f} GiB free at {place}, 2 are needed: make room, or set"
            " BASALT_DATA and BASALT_CACHE to another disk"
        )


@dataclass(frozen=True)
class Ports:
    """Every port of a stack, counted from one base. The services' ports follow in `stack.py`."""

    base: int

    @property
    def gateway(self) -> int:
        return self.base

    @property
    def postgres(self) -> int:
        return self.base + 1

    @property
    def kafka(self) -> int:
        return self.base + 2

    @property
    def kafka_controller(self) -> int:
        return self.base + 3

    @property
    def mongo(self) -> int:
        return self.base + 4

    @property
    def mongo_store(self) -> int:
        return self.base + 5

    @property
    def redis(self) -> int:
        return self.base + 6

    @property
    def payments(self) -> int:
        return self.base + 7

    @classmethod
    def from_environment(cls) -> "Ports":
        """`BASALT_PORT_BASE`, 7400 when unset."""
        text = os.environ.get("BASALT_PORT_BASE", "7400")
        if not text.isdecimal() or not 1024 <= int(text) <= 65000:
            raise Unfit(f"BASALT_PORT_BASE={text} is no port: choose one from 1024 to 65000")
        return cls(int(text))


def complain(unfit: Unfit) -> None:
    """One line to stderr, and exit code 1."""
    print(f"basalt: {unfit}", file=sys.stderr)
    raise SystemExit(1)
