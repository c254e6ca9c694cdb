"""Provisioning real servers, twice."""

import os
import re

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from chassis.clock import new_id
from chassis.provision import (
    SERVICES,
    Plan,
    all_services,
    database_url,
    has_database,
    provision,
    topics,
)
from chassis.stores.migrate import behind, migrations_of
from chassis.stores.postgres import Database


async def test_it_makes_what_services_need_and_may_be_repeated(
    postgres_url: str, kafka_bootstrap: str, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = f"p{new_id().hex[-8:]}_"
    plan = Plan(postgres_url, kafka_bootstrap, ("billing", "gateway"), prefix, "it's secret")

    await provision(plan)
    first = capsys.readouterr().out
    await provision(plan)
    second = capsys.readouterr().out

    assert f"migrated {prefix}billing" in first
    assert second == "", "nothing is left to do"
    url = database_url(postgres_url, "billing", prefix=prefix, password="it's secret")
    database = await Database.open(url)
    assert await behind(database, migrations_of(SERVICES / "billing")) == []
    assert await database.fetchval("SELECT current_user") == f"{prefix}billing"
    await database.close()
    await drop(postgres_url, f"{prefix}billing")


async def drop(postgres_url: str, name: str) -> None:
    admin = await asyncpg.connect(postgres_url, timeout=10)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)", timeout=30)
    await admin.execute(f"DROP ROLE {name}", timeout=30)
    await admin.close()


async def test_topics_are_those_of_contracts_and_services(kafka_bootstrap: str) -> None:
    plan = Plan("", kafka_bootstrap, ("billing",), partitions=2)

    await provision(plan)

    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    there = set(await admin.list_topics())
    await admin.close()
    assert set(topics(["billing"])) <= there
    assert {"billing.account.v1", "cmd.billing.v1", "dlq.billing", "reply.orchestrator.v1"} <= there


def test_the_services_of_the_tree_are_found() -> None:
    assert "billing" in all_services()
    assert has_database("billing")
    assert not has_database("gateway")


def test_the_environment_is_read() -> None:
    plan = Plan.of({"POSTGRES_URL": "postgresql://a@b/c", "TOPIC_PARTITIONS": "3"}, ["billing"])

    assert (plan.services, plan.partitions, plan.prefix) == (("billing",), 3, "basalt_")
    assert Plan.of(os.environ, []).services == tuple(all_services())


@pytest.mark.parametrize("prefix", ["", "x_"])
def test_a_services_url_names_its_own_database_and_role(prefix: str) -> None:
    admin = "postgresql://admin:a@host:1/postgres"

    url = database_url(admin, "billing", prefix=prefix, password="p/w")

    assert url == f"postgresql://{prefix}billing:p%2Fw@host:1/{prefix}billing"


def test_a_name_that_would_need_quoting_is_refused() -> None:
    with pytest.raises(ValueError, match=re.escape("is no name for a database")):
        database_url("postgresql://a@b/c", "billing; DROP", prefix="", password="")
