"""The platform, described once: its servers, its services, what each reads and waits for.

`up.py` makes a process-compose file of it; a test holds docker-compose.yml and Terraform to it.
"""

import hashlib
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chassis.provision import database_url
from infra.local.places import ROOT, Ports, Unfit, data_folder
from infra.local.servers import (
    POSTGRES_CONNECTIONS_MAX,
    Server,
    ferretdb,
    kafka,
    payments,
    postgres,
    valkey,
)

DATABASE_PREFIX = "basalt_"
POSTGRES_POOL_MAX = 8
EXTERNAL = {
    "POSTGRES_URL": "postgres",
    "KAFKA_BOOTSTRAP": "kafka",
    "MONGO_URL": "mongo",
    "REDIS_URL": "redis",
    "PAYMENTS_URL": "payments",
}
"""Variables that, when given to `make up`, replace an embedded server."""


@dataclass(frozen=True)
class Service:
    """A service: its place among the ports, and the servers and services that it calls."""

    name: str
    port_offset: int
    servers: tuple[str, ...]
    calls: tuple[str, ...] = ()


SERVICES = (
    Service("identity", 10, ("postgres", "kafka", "redis")),
    Service("studio", 11, ("postgres", "kafka", "mongo")),
    Service("billing", 12, ("postgres", "kafka", "payments")),
    Service("delivery", 13, ("postgres", "kafka", "redis")),
    Service("activity", 14, ("postgres", "kafka", "mongo")),
    Service("orchestrator", 15, ("postgres", "kafka")),
    Service(
        "gateway",
        0,
        ("kafka", "redis"),
        ("identity", "studio", "billing", "delivery", "activity", "orchestrator"),
    ),
)
BLOBS = ("studio", "delivery", "gateway")
"""The services that share the blob folder."""


@dataclass(frozen=True)
class Stack:
    """One stack of this machine: where it lies, and which servers are not ours to start."""

    data: Path
    ports: Ports
    external: Mapping[str, str]
    replicas: int = 1

    @classmethod
    def from_environment(cls) -> "Stack":
        """What the environment says; Unfit when it makes no sense."""
        external = {name: os.environ[name] for name in EXTERNAL if os.environ.get(name)}
        replicas = os.environ.get("BASALT_REPLICAS", "1")
        if not replicas.isdecimal() or not 1 <= int(replicas) <= 4:
            raise Unfit(f"BASALT_REPLICAS={replicas} makes no sense: choose 1 to 4")
        return cls(data_folder(), Ports.from_environment(), external, int(replicas))

    def servers(self) -> list[Server]:
        """The embedded servers: those for which nothing external is given."""
        given = {EXTERNAL[name] for name in self.external}
        ports, home = self.ports, self.data / "servers"
        found: list[Server] = []
        if "postgres" not in given:
            found.append(
                postgres(
                    "postgres",
                    ports.postgres,
                    home / "postgres",
                    memory_mb=128,
                    connections=POSTGRES_CONNECTIONS_MAX,
                )
            )
        if "kafka" not in given:
            found.append(kafka(ports.kafka, ports.kafka_controller, home / "kafka"))
        if "mongo" not in given:
            store = home / "mongo_store"
            found.append(
                postgres("mongo_store", ports.mongo_store, store, memory_mb=64, connections=60)
            )
            found.append(ferretdb(ports.mongo, ports.mongo_store, home / "mongo"))
        if "redis" not in given:
            found.append(valkey(ports.redis, home / "redis"))
        if "payments" not in given:
            found.append(payments(ports.payments, home / "payments"))
        return found

    def urls(self) -> dict[str, str]:
        """The servers' addresses, external ones first. POSTGRES_URL is the administrator's."""
        ports = self.ports
        return {
            "POSTGRES_URL": f"postgresql://postgres@127.0.0.1:{ports.postgres}/postgres",
            "KAFKA_BOOTSTRAP": f"127.0.0.1:{ports.kafka}",
            "MONGO_URL": f"mongodb://127.0.0.1:{ports.mongo}/",
            "REDIS_URL": f"redis://127.0.0.1:{ports.redis}/0",
            "PAYMENTS_URL": f"http://127.0.0.1:{ports.payments}",
            **self.external,
        }

    def port(self, service: Service) -> int:
        """The port of a service's HTTP door; replicas share it (SO_REUSEPORT)."""
        return self.ports.base + service.port_offset

    def url(self, name: str) -> str:
        """The base URL of a service."""
        service = next(each for each in SERVICES if each.name == name)
        return f"http://127.0.0.1:{self.port(service)}"

    def secret(self) -> str:
        """The key that signs contexts: made once, readable by its owner alone."""
        file = self.data / "context.key"
        if not file.exists():
            self.data.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)
            file.write_text(secrets.token_hex(32))
        return file.read_text()

    def shared_environment(self) -> dict[str, str]:
        """What every service reads."""
        optional = {name: os.environ[name] for name in ("OTLP_ENDPOINT",) if name in os.environ}
        return {
            "CONTEXT_KEY": self.secret(),
            "ENVIRONMENT": os.environ.get("ENVIRONMENT", "development"),
            "LOG_LEVEL": os.environ.get("LOG_LEVEL", "info"),
            **self.urls(),
            **optional,
        }

    def provision_environment(self) -> dict[str, str]:
        """What the step reads that makes databases, roles, topics and migrations."""
        names = ("POSTGRES_URL", "KAFKA_BOOTSTRAP")
        return {
            **{name: self.urls()[name] for name in names},
            "DATABASE_PREFIX": DATABASE_PREFIX,
            "DATABASE_PASSWORD": self.database_password(),
        }

    def service_environment(self, service: Service) -> dict[str, str]:
        """What a service reads: only the servers that it uses, Postgres by a role of its own."""
        names = {name for name, server in EXTERNAL.items() if server in service.servers}
        used = {
            name: value
            for name, value in self.shared_environment().items()
            if name not in EXTERNAL or name in names
        }
        if "POSTGRES_URL" in used:
            used["POSTGRES_URL"] = self.database_url(service.name)
            used["POSTGRES_CONNECTIONS_MAX"] = str(POSTGRES_POOL_MAX)
        if service.name in BLOBS:
            used["BLOB_DIR"] = str(self.data / "blobs")
        used |= {f"{name.upper()}_URL": self.url(name) for name in service.calls}
        if self.replicas > 1:
            used["HTTP_PORT_SHARED"] = "true"
        return {**used, "HTTP_HOST": "127.0.0.1", "HTTP_PORT": str(self.port(service))}

    def database_url(self, service: str) -> str:
        """A service's own database, by its own role."""
        prefix, password = DATABASE_PREFIX, self.database_password()
        return database_url(self.urls()["POSTGRES_URL"], service, prefix=prefix, password=password)

    def database_password(self) -> str:
        """The password of the services' roles; it follows from the stack's secret."""
        return hashlib.sha256(f"postgres:{self.secret()}".encode()).hexdigest()[:32]


def service_command(service: Service) -> list[str]:
    """How a service is started."""
    return [sys.executable, "-m", f"services.{service.name}.main"]


def here(service: Service) -> bool:
    """Whether this checkout has the service."""
    return (ROOT / "services" / service.name / "main.py").exists()
