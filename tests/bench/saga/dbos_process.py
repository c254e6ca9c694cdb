"""A DBOS application with a load of its own; writes one JSON line of figures."""

import json
import os
import statistics
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, SQLAlchemyDatasource

DATABASE = "dbos_" + uuid.uuid4().hex[:12]
STAGES = 5


def url_of(database: str) -> str:
    return os.environ["DBOS_URL"].rsplit("/", 1)[0] + "/" + database


def the_workflow(datasource: SQLAlchemyDatasource) -> Callable[[str], int]:
    """Five steps, each a transaction that also records its outcome."""

    @datasource.transaction(isolation_level="READ COMMITTED")
    def move(thing_id: str, stage: int) -> int:
        datasource.sql_session().execute(
            sa.text(
                "INSERT INTO thing (id, stage) VALUES (:id, :stage)"
                " ON CONFLICT (id) DO UPDATE SET stage = :stage"
            ),
            {"id": thing_id, "stage": stage},
        )
        return stage

    @DBOS.workflow()
    def trade(thing_id: str) -> int:
        for stage in range(1, STAGES + 1):
            move(thing_id, stage)
        return STAGES

    return trade


def main() -> None:
    load = json.loads(os.environ["LOAD"])
    administer(os.environ["DBOS_URL"], f"CREATE DATABASE {DATABASE}")
    administer(os.environ["DBOS_URL"], f"CREATE DATABASE {DATABASE}_sys")
    administer(url_of(DATABASE), "CREATE TABLE thing (id text PRIMARY KEY, stage integer NOT NULL)")
    config: DBOSConfig = {
        "name": "bench",
        "system_database_url": driver(url_of(f"{DATABASE}_sys")),
        "log_level": "ERROR",
        "sys_db_pool_size": load["in_flight"] + 4,
    }
    DBOS(config=config)
    SQLAlchemyDatasource.migrate(driver(url_of(DATABASE)))
    datasource = SQLAlchemyDatasource.create(
        driver(url_of(DATABASE)), engine_kwargs={"pool_size": load["in_flight"] + 4}
    )
    trade = the_workflow(datasource)

    def run_one(_: int) -> float:
        began = time.perf_counter()
        trade(str(uuid.uuid4()))
        return (time.perf_counter() - began) * 1000

    DBOS.launch()
    with ThreadPoolExecutor(load["in_flight"]) as pool:
        list(pool.map(run_one, range(min(20, load["total"]))))
        began = time.perf_counter()
        times = list(pool.map(run_one, range(load["total"])))
        seconds = time.perf_counter() - began
    cuts = statistics.quantiles(times, n=100)
    figures = {"sagas_per_s": load["total"] / seconds, "p50_ms": cuts[49], "p99_ms": cuts[98]}
    print(json.dumps(figures), flush=True)
    DBOS.destroy()


def administer(url: str, sql: str) -> None:
    engine = sa.create_engine(driver(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(sql))
    engine.dispose()


def driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


if __name__ == "__main__":
    main()
