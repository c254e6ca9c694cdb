"""Importing an app through studio's path, against only reading the same archive."""

import tempfile
import time
from pathlib import Path

import asyncpg

from chassis.clock import new_id
from chassis.stores.mongo import Documents
from chassis.stores.postgres import Database
from services.studio.appsmith import read_zip
from tests.bench.table import Measurement
from tests.samples.shop import shop_zip
from tests.services.participant import fresh_database
from tests.services.studio.desk import a_desk

COPIES = 100
RUNS = 3


async def import_files(postgres_url: str, mongo_url: str) -> list[Measurement]:
    """Files per second: blob, worker, MongoDB, index in Postgres, facts; the best of a few."""
    archive = shop_zip(copies=COPIES)
    reads = []
    for _ in range(RUNS + 1):  # the first one warms up
        began = time.perf_counter()
        files = len(read_zip(archive))
        reads.append(time.perf_counter() - began)
    url = await fresh_database(postgres_url, "studio")
    database = await Database.open(url, pool_max=4)
    documents = Documents.open(mongo_url, f"bench_{new_id().hex}", timeout=30)
    times = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            desk = await a_desk(database, documents, Path(folder), apps_max=100)
            for _ in range(RUNS + 1):
                began = time.perf_counter()
                await desk.imported(archive, new_id())
                times.append(time.perf_counter() - began)
    finally:
        documents.close()
        await database.close()
        admin = await asyncpg.connect(postgres_url, timeout=10)
        await admin.execute(f'DROP DATABASE "{url.rsplit("/", 1)[1]}" WITH (FORCE)', timeout=60)
        await admin.close(timeout=5)
    how = f"{files} files, {len(archive) / 1024:.0f} KiB zip, the best of {RUNS + 1} each"
    ours, peer = files / min(times), files / min(reads)
    return [Measurement("import an app", ours, peer, "files/s", "only reading its zip", how)]
