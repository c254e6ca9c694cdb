"""The servers, each as: how its folder is made, how it is started, when it is ready.

Used by the stack (under process-compose) and by the tests (as child processes).
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.places import ROOT, Unfit, as_server_user, give_to_server_user
from infra.local.prepare import binaries, kafka_libraries, postgres_home, valkey_server

MAKE_TIMEOUT_S = 60
POSTGRES_CONNECTIONS_MAX = 200
KAFKA_CLUSTER = "QmFzYWx0TG9jYWxDbHVzdA"  # an id of 22 characters; any will do
MESSAGE_BYTES_MAX = 1_048_576


@dataclass(frozen=True)
class Server:
    """A server process. It is ready when its port accepts; its folder is made by `make`."""

    name: str
    port: int
    folder: Path
    command: tuple[str, ...]
    make: tuple[tuple[str, ...], ...] = ()  # commands that make the folder, once
    made: str = ""  # the file that says the folder is made
    owned: bool = False  # by the server user
    files: dict[str, str] = field(default_factory=dict)  # written before each start

    def prepare(self) -> None:
        """Make the folder, if it is not there. Raises Unfit."""
        if self.owned:
            give_to_server_user(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.files.items():
            (self.folder / name).write_text(text)
        if not self.made or (self.folder / self.made).exists():
            return
        for command in self.make:
            done = subprocess.run(  # noqa: S603  # our own commands
                command, capture_output=True, text=True, timeout=MAKE_TIMEOUT_S, check=False
            )
            if done.returncode:
                tail = (done.stdout + done.stderr).strip().splitlines()[-2:]
                raise Unfit(f"{self.name} can't make {self.folder}: {' '.join(tail)}")


def accepts(port: int) -> bool:
    """Whether something listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def postgres(name: str, port: int, folder: Path, *, memory_mb: int, connections: int) -> Server:
    """PostgreSQL 18, as the server user; durable (fsync and synchronous_commit stay on)."""
    home = postgres_home() / "bin"
    data = folder / "data"
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": connections,
        "shared_buffers": f"{memory_mb}MB",
        "wal_level": "minimal",
        "max_wal_senders": 0,
        "wal_recycle": "off",
        "idle_in_transaction_session_timeout": "60s",
    }
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    prefix = as_server_user()
    initdb = [*prefix, f"{home}/initdb", "-D", str(data), "-A", "trust", "-N", "--no-sync"]
    return Server(
        name=name,
        port=port,
        folder=folder,
        command=(*prefix, f"{home}/postgres", "-D", str(data), "-p", str(port), *options),
        make=((*initdb, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"),),
        made="data/PG_VERSION",
        owned=True,
    )


def kafka(port: int, controller_port: int, folder: Path, *, heap_mb: int = 384) -> Server:
    """Apache Kafka 4.2, one KRaft node: broker and controller."""
    java = shutil.which("java")
    if java is None:
        raise Unfit("java is missing: install a JDK, 17 or newer")
    classpath = f"{kafka_libraries()}/*"
    flags = ["-Xms128m", f"-Xmx{heap_mb}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    log = ROOT / "infra" / "local" / "kafka" / "log4j2.properties"
    properties = str(folder / "server.properties")
    tool = [java, "-cp", classpath, "kafka.tools.StorageTool", "format", "--standalone"]
    return Server(
        name="kafka",
        port=port,
        folder=folder,
        command=(
            *(java, *flags, f"-Dlog4j2.configurationFile={log}", "-cp", classpath),
            *("kafka.Kafka", properties),
        ),
        make=((*tool, "-t", KAFKA_CLUSTER, "-c", properties),),
        made="data/meta.properties",
        files={"server.properties": _kafka_properties(port, controller_port, folder / "data")},
    )


def _kafka_properties(port: int, controller_port: int, data: Path) -> str:
    lines = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller_port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": data,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "min.insync.replicas": 1,
        "group.initial.rebalance.delay.ms": 0,
        "auto.create.topics.enable": "false",
        "message.max.bytes": MESSAGE_BYTES_MAX,
        # A broker that was killed is back in 5 s instead of 12.
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 500,
    }
    return "".join(f"{key}={value}\n" for key, value in lines.items())


def ferretdb(port: int, store_port: int, folder: Path) -> Server:
    """FerretDB 1.24: MongoDB's protocol over a PostgreSQL of its own."""
    url = f"postgres://postgres@127.0.0.1:{store_port}/postgres"
    command = (f"{binaries()}/ferretdb", "-listen", f"127.0.0.1:{port}", "-postgresql", url)
    return Server(name="mongo", port=port, folder=folder, command=command)


def valkey(port: int, folder: Path) -> Server:
    """Valkey 9, append-only."""
    command = (
        *(str(valkey_server()), "--port", str(port), "--bind", "127.0.0.1", "--save", ""),
        *("--appendonly", "yes", "--dir", str(folder), "--maxmemory", "256mb"),
    )
    return Server(name="redis", port=port, folder=folder, command=command)


def payments(port: int, folder: Path) -> Server:
    """The payment provider for development: moves no money, forgets nothing."""
    command = (
        *(sys.executable, str(ROOT / "infra" / "dev" / "payments.py")),
        *("--port", str(port), "--folder", str(folder)),
    )
    return Server(name="payments", port=port, folder=folder, command=command)


def start(server: Server, log: Path, environment: dict[str, str] | None = None) -> "Started":
    """Start a server as a child in a session of its own; its output goes to `log`."""
    server.prepare()
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  # our own commands
            server.command,
            cwd=server.folder,
            env={**os.environ, **(environment or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    return Started(server, process)


@dataclass(frozen=True)
class Started:
    """A running server."""

    server: Server
    process: "subprocess.Popen[bytes]"


def free_ports(count: int) -> Sequence[int]:
    """Ports that nobody uses at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
