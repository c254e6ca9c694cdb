"""A Restate service of five steps, each a transaction that writes a row. Reads POSTGRES_URL (its
own database) and PORT; serves until it is stopped."""

import asyncio
import os

import asyncpg
import hypercorn.asyncio
import restate
import uvloop
from hypercorn.config import Config

STAGES = 5
CONNECTIONS = 8
MOVE = "INSERT INTO thing (id, stage) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET stage = $2"


async def main() -> None:
    pool = await asyncpg.create_pool(os.environ["POSTGRES_URL"], min_size=1, max_size=CONNECTIONS)
    service = restate.Service("trade")

    async def move(thing_id: str, stage: int) -> int:
        await pool.execute(MOVE, thing_id, stage, timeout=30)
        return stage

    @service.handler()
    async def run(context: restate.Context, thing_id: str) -> int:
        for stage in range(1, STAGES + 1):
            await context.run_typed(f"move {stage}", move, thing_id=thing_id, stage=stage)
        return STAGES

    config = Config()
    config.bind = [f"127.0.0.1:{os.environ['PORT']}"]
    config.h2_max_concurrent_streams = 1_000
    await hypercorn.asyncio.serve(restate.app([service]), config)


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(main())
