"""The process-compose file of a stack: made from `stack.py` at every `make up`."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

from infra.local.places import ROOT
from infra.local.servers import Server
from infra.local.stack import SERVICES, Service, Stack, here, service_command

Block = dict[str, Any]  # a part of process-compose's file
PROVISION = "provision"
PROBES_MAX = 1_000_000
"""process-compose stops a process for good after so many probes in a row that failed. A service
that waits for a server, however long, is not ready, which is no reason to be stopped."""


def write(stack: Stack) -> Path:
    """Write the file (JSON is YAML); only its owner may read it: it holds the signing key."""
    blocks: dict[str, Block] = {server.name: _server(server, stack) for server in stack.servers()}
    services = [service for service in SERVICES if here(service)]
    if services:
        blocks[PROVISION] = _provision(stack)
    for service in services:
        for replica in range(1, stack.replicas + 1):
            name = service.name if replica == 1 else f"{service.name}-{replica}"
            blocks[name] = _service(service, stack, name)
    file = stack.data / "process-compose.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps({"version": "0.5", "processes": blocks}, indent=1))
    return file


def _server(server: Server, stack: Stack) -> Block:
    after = {"mongo_store": "process_healthy"} if server.name == "mongo" else {}
    return {
        "command": f"exec {shlex.join(server.command)}",
        "working_dir": str(server.folder),
        "log_location": str(stack.data / "logs" / f"{server.name}.log"),
        "availability": {"restart": "always", "backoff_seconds": 1},
        "shutdown": {"signal": 2 if server.owned else 15},
        "readiness_probe": {
            "exec": {"command": f"bash -c '</dev/tcp/127.0.0.1/{server.port}'"},
            "period_seconds": 1,
            "failure_threshold": PROBES_MAX,
        },
        "depends_on": {name: {"condition": condition} for name, condition in after.items()},
    }


def _provision(stack: Stack) -> Block:
    return {
        "command": f"exec {shlex.join([sys.executable, '-m', 'chassis.provision'])}",
        "working_dir": str(ROOT),
        "log_location": str(stack.data / "logs" / f"{PROVISION}.log"),
        "log_configuration": {"flush_each_line": True},
        "environment": _pairs(stack.provision_environment()),
        "availability": {"restart": "on_failure", "backoff_seconds": 1, "max_restarts": 30},
    }


# Services wait for nobody: they start while the servers do, and are ready when these are.
def _service(service: Service, stack: Stack, name: str) -> Block:
    named = {"KAFKA_INSTANCE": name}  # restarted here, so nobody need take over meanwhile
    return {
        "command": f"exec {shlex.join(service_command(service))}",
        "working_dir": str(ROOT),
        "log_location": str(stack.data / "logs" / f"{service.name}.log"),
        "log_configuration": {"flush_each_line": True},
        "environment": _pairs({**stack.service_environment(service), **named}),
        "availability": {"restart": "always", "backoff_seconds": 1},
        "shutdown": {"signal": 15, "timeout_seconds": 30},
        "readiness_probe": {
            "http_get": {"host": "127.0.0.1", "port": stack.port(service), "path": "/readyz"},
            "period_seconds": 1,
            "failure_threshold": PROBES_MAX,
        },
    }


def _pairs(environment: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in sorted(environment.items())]
