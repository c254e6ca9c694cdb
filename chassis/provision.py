"""python -m chassis.provision: databases, roles, migrations and topics. Safe to repeat.

Reads POSTGRES_URL (an administrator's), KAFKA_BOOTSTRAP, DATABASE_PREFIX, DATABASE_PASSWORD (of
the services' roles), TOPIC_PARTITIONS and TOPIC_REPLICATION. Arguments name services; without any
it provisions every folder of `services/`. A service has a database when its
`main.py` names the store or it has `migrations/`.
"""

import asyncio
import importlib
import os
import pkgutil
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from chassis.clock import SystemClock
from chassis.stores.migrate import behind, migrate, migrations_of
from chassis.stores.postgres import Database
from contracts.base import REGISTRY, Event

SERVICES = Path(__file__).parents[1] / "services"
REPLY_TOPIC = "reply.orchestrator.v1"
_NAME = re.compile(r"^[a-z][a-z0-9_]{0,40}$")
_EXISTS = 36  # Kafka's code for a topic that is there already
_DEAD_LETTER_CONFIG = {"max.message.bytes": "2097152", "retention.ms": str(30 * 86_400_000)}
_clock = SystemClock()


@dataclass(frozen=True, slots=True)
class Plan:
    """What to provision, and where."""

    postgres_url: str
    kafka_bootstrap: str
    services: tuple[str, ...]
    prefix: str = "basalt_"
    password: str = ""
    partitions: int = 6
    replication: int = 1
    timeout_s: float = 60.0

    @classmethod
    def of(cls, environment: Mapping[str, str], services: Iterable[str]) -> "Plan":
        """From environment variables."""
        return cls(
            postgres_url=environment.get("POSTGRES_URL", ""),
            kafka_bootstrap=environment.get("KAFKA_BOOTSTRAP", ""),
            services=tuple(services) or tuple(all_services()),
            prefix=environment.get("DATABASE_PREFIX", "basalt_"),
            password=environment.get("DATABASE_PASSWORD", ""),
            partitions=int(environment.get("TOPIC_PARTITIONS", "6")),
            replication=int(environment.get("TOPIC_REPLICATION", "1")),
        )


def all_services() -> list[str]:
    """The services of this tree, by name."""
    return sorted(path.parent.name for path in SERVICES.glob("*/main.py"))


def has_database(service: str) -> bool:
    """Whether the service names Postgres among its stores, or brings migrations."""
    folder = SERVICES / service
    main = folder / "main.py"
    names_it = main.is_file() and '"postgres"' in main.read_text()
    return names_it or (folder / "migrations").is_dir()


def database_url(postgres_url: str, service: str, *, prefix: str, password: str) -> str:
    """The URL that a service connects with: its own database and role on the same server."""
    if not _NAME.match(prefix + service):
        raise ValueError(f"{prefix + service!r} is no name for a database")
    name = prefix + service
    parts = urlsplit(postgres_url)
    place = parts.netloc.rpartition("@")[2]
    login = f"{name}:{quote(password, safe='')}" if password else name
    return urlunsplit(parts._replace(netloc=f"{login}@{place}", path=f"/{name}"))


def topics(services: Iterable[str]) -> dict[str, dict[str, str]]:
    """Every topic with its configuration: facts, commands, replies and dead letters."""
    for module in pkgutil.walk_packages(
        importlib.import_module("contracts").__path__, "contracts."
    ):
        importlib.import_module(module.name)
    facts = {m.address.topic for m in REGISTRY.values() if issubclass(m, Event)}
    wanted: dict[str, dict[str, str]] = {topic: {} for topic in sorted(facts)}
    wanted[REPLY_TOPIC] = {}
    for service in services:
        wanted[f"cmd.{service}.v1"] = {}
        wanted[f"dlq.{service}"] = _DEAD_LETTER_CONFIG
    return wanted


async def provision(plan: Plan) -> None:
    """Do what the plan says; waits for servers that are still starting, within `timeout_s`."""
    async with asyncio.timeout(plan.timeout_s), asyncio.TaskGroup() as tasks:
        if plan.kafka_bootstrap:
            tasks.create_task(_create_topics(plan))
        if plan.postgres_url:
            tasks.create_task(_prepare_databases(plan))


async def _prepare_databases(plan: Plan) -> None:
    with_database = [service for service in plan.services if has_database(service)]
    await _patiently(lambda: _connect(plan.postgres_url), "PostgreSQL")
    await asyncio.gather(*(_create_database(plan, service) for service in with_database))
    outdated = await asyncio.gather(*(_is_outdated(plan, service) for service in with_database))
    for service, is_outdated in zip(with_database, outdated, strict=True):
        if is_outdated:
            await migrate(_url(plan, service), migrations_of(SERVICES / service))
            print(f"migrated {plan.prefix}{service}", flush=True)


def _url(plan: Plan, service: str) -> str:
    return database_url(plan.postgres_url, service, prefix=plan.prefix, password=plan.password)


async def _connect(url: str) -> None:
    connection = await asyncpg.connect(url, timeout=5)
    await connection.close()


async def _create_database(plan: Plan, service: str) -> None:
    name = plan.prefix + service
    _url(plan, service)  # refuses a name that is none
    admin = await asyncpg.connect(plan.postgres_url, timeout=10, command_timeout=30)
    try:
        if not await admin.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name):
            await admin.execute(f"CREATE ROLE {name} LOGIN")
        if plan.password:
            secret = await admin.fetchval("SELECT quote_literal($1::text)", plan.password)
            await admin.execute(f"ALTER ROLE {name} PASSWORD {secret}")
        if not await admin.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            if not await admin.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = user"):
                await admin.execute(f"GRANT {name} TO CURRENT_USER")
            await admin.execute(f"CREATE DATABASE {name} OWNER {name}")
            await admin.execute(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
    finally:
        await admin.close()


async def _is_outdated(plan: Plan, service: str) -> bool:
    database = await Database.open(_url(plan, service), pool_max=1)
    try:
        return bool(await behind(database, migrations_of(SERVICES / service)))
    finally:
        await database.close()


async def _create_topics(plan: Plan) -> None:
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic

    wanted = topics(plan.services)
    admin: Any = AIOKafkaAdminClient(  # aiokafka is untyped
        bootstrap_servers=plan.kafka_bootstrap, request_timeout_ms=15_000
    )
    await _patiently(admin.start, "Kafka")
    try:
        there = set(await admin.list_topics())
        missing = [
            NewTopic(name, plan.partitions, plan.replication, topic_configs=config)
            for name, config in wanted.items()
            if name not in there
        ]
        if not missing:
            return
        answer = await admin.create_topics(missing)
        for name, code, *rest in answer.topic_errors:
            if code not in (0, _EXISTS):
                raise RuntimeError(f"Kafka refuses topic {name}: {code} {rest}")
        print(f"created {len(missing)} topics", flush=True)
    finally:
        await admin.close()


async def _patiently(attempt: Any, server: str) -> None:  # a function that gives an awaitable
    """Until the server answers; the caller's deadline bounds it."""
    told = False
    while True:
        try:
            await attempt()
            return
        except Exception as error:  # whatever a server that is starting says
            if not told:
                print(f"waiting for {server}: {type(error).__name__}", flush=True)
            told = True
        await _clock.sleep(0.2)


def main() -> None:
    """The command."""
    plan = Plan.of(os.environ, sys.argv[1:])
    if not plan.postgres_url and not plan.kafka_bootstrap:
        sys.exit("provision: set POSTGRES_URL (an administrator's) or KAFKA_BOOTSTRAP")
    try:
        asyncio.run(provision(plan))
    except TimeoutError:
        sys.exit(f"provision: the servers did not answer within {plan.timeout_s:.0f} s")


if __name__ == "__main__":
    main()
