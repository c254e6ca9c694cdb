"""Clones of git-synced apps, written commit by commit: no work tree, nobody's settings."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ANN, BOB = "Ann Ånström <ann@example.com>", "อนุวัต ช่วยพัฒน์ <bob@example.com>"
ELSEWHERE = "1234567890" * 4
GIT_TIMEOUT_S = 30


@dataclass(frozen=True)
class Clone:
    """A bare repository; HEAD is its branch main."""

    folder: Path

    def commit(
        self,
        files: Mapping[str, bytes],
        *,
        message: str | bytes = "a change",
        author: str = ANN,
        at: str = "1700000000 +0100",
        parents: Sequence[str] | None = None,
        links: Mapping[str, str] | None = None,
        modules: Sequence[str] = (),
        branch: str = "main",
    ) -> str:
        """Add a commit with exactly these files; its hash. `at` is git's raw time; without
        `parents` it follows the branch."""
        raw = message.encode() if isinstance(message, str) else message
        first, *others = [f"refs/heads/{branch}^0"] if parents is None else parents
        stream = [
            f"commit refs/heads/{branch}\nauthor {author} {at}\n".encode(),
            b"committer Server <server@example.com> 1700000000 +0000\n" + _data(raw),
            f"from {first}\n".encode() if first and self._has(first) else b"",
            *(f"merge {other}\n".encode() for other in others),
            b"deleteall\n",
            *(f"M 100644 inline {path}\n".encode() + _data(b) for path, b in files.items()),
            *(
                f"M 120000 inline {path}\n".encode() + _data(to.encode())
                for path, to in (links or {}).items()
            ),
            *(f"M 160000 {ELSEWHERE} {path}\n".encode() for path in modules),
        ]
        self.git("fast-import", "--quiet", "--date-format=raw-permissive", given=b"".join(stream))
        return self.git("rev-parse", f"refs/heads/{branch}").strip()

    def git(self, *arguments: str, given: bytes = b"") -> str:
        """Run git here; what it said. CalledProcessError when it fails."""
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_DIR": str(self.folder),
        }
        done = subprocess.run(
            ["git", *arguments],
            input=given,
            capture_output=True,
            check=True,
            env=environment,
            timeout=GIT_TIMEOUT_S,
        )
        return done.stdout.decode()

    def _has(self, revision: str) -> bool:
        try:
            self.git("rev-parse", "--verify", "--quiet", revision)
        except subprocess.CalledProcessError:
            return False
        return True


def a_clone(folder: Path) -> Clone:
    """An empty one."""
    clone = Clone(folder)
    clone.git("init", "--bare", "--quiet", "--template=", "--initial-branch=main", str(folder))
    return clone


def _data(body: bytes) -> bytes:
    return f"data {len(body)}\n".encode() + body + b"\n"
