"""Where the stores are, and how far the checker looks. Read from the platform's own variables."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from tools.basalt.check.layout import SERVICES

LOCAL_TIMEOUT_S = 30
NAMES = ("POSTGRES_URL", "KAFKA_BOOTSTRAP", "MONGO_URL", "BLOB_DIR")


class CannotCheck(Exception):
    """Something cannot be looked at. The text is one line and ends with the remedy."""


@dataclass(frozen=True)
class Places:
    """Where everything is. An empty value: not given, so what needs it is not checked.

    databases: PostgreSQL URL of each service. They may be an administrator's, or any role's that
    may read.
    """

    databases: Mapping[str, str]
    kafka: str = ""
    mongo: str = ""
    blobs: str = ""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Places":
        """From POSTGRES_URL (an administrator's; the services' databases are found by
        DATABASE_PREFIX) or <SERVICE>_POSTGRES_URL, KAFKA_BOOTSTRAP, MONGO_URL and BLOB_DIR."""
        found: dict[str, str] = {}
        prefix = environment.get("DATABASE_PREFIX", "basalt_")
        for service in SERVICES:
            own = environment.get(f"{service.upper()}_POSTGRES_URL", "")
            admin = environment.get("POSTGRES_URL", "")
            if own:
                found[service] = own
            elif admin:
                parts = urlsplit(admin)
                found[service] = urlunsplit(parts._replace(path=f"/{prefix}{service}"))
        return cls(
            found,
            environment.get("KAFKA_BOOTSTRAP", ""),
            environment.get("MONGO_URL", ""),
            environment.get("BLOB_DIR", ""),
        )

    @classmethod
    def from_environment(cls) -> "Places":
        """What the environment says; what it leaves open is the local stack's. CannotCheck when
        neither says anything."""
        given = dict(os.environ)
        named = [name for name in (*NAMES, *_own_urls()) if given.get(name)]
        if not named:
            given |= local_stack()
        return cls.of(given)


@dataclass(frozen=True)
class Limits:
    """How far the checker looks, and how patient it is. Times in seconds."""

    at_rest: bool = False  # everything must be finished; otherwise work under way is no fault
    grace_s: float = 10.0  # between the two looks at what is suspicious (not at rest)
    outbox_age_s: float = 60.0  # older rows are not on their way any more
    overdue_s: float = 30.0  # a wake-up that much late was missed
    inbox_keep_days: float = 7.0  # the services forget what they handled longer ago
    records_max: int = 2_000_000  # of all topics together; the newest
    rows_max: int = 2_000_000  # of one table
    bodies_max: int = 2_000  # documents whose digest is computed again
    blobs_max: int = 2_000  # bundles whose digest is computed again
    findings_max: int = 20  # named for each invariant; all are counted
    step_timeout_s: float = 120.0  # one table, or one part of the topics
    timeout_s: float = 900.0  # all of it
    only: frozenset[str] = field(default_factory=frozenset)  # names; empty: all


def local_stack() -> dict[str, str]:
    """The variables of this checkout's local stack, asked of `tools.basalt.local` as a process:
    what that imports is none of the checker's code. CannotCheck when there is no such stack."""
    asked = subprocess.run(
        [sys.executable, "-m", "tools.basalt.local"],
        capture_output=True,
        text=True,
        timeout=LOCAL_TIMEOUT_S,
        check=False,
    )
    if asked.returncode:
        why = asked.stderr.strip().splitlines()
        raise CannotCheck(
            f"no place to look at ({why[-1] if why else 'no local stack'}): set POSTGRES_URL,"
            " KAFKA_BOOTSTRAP, MONGO_URL and BLOB_DIR, or run make up"
        )
    found: dict[str, str] = json.loads(asked.stdout)
    return found


def _own_urls() -> list[str]:
    return [f"{service.upper()}_POSTGRES_URL" for service in SERVICES]
