"""What is no fault point: servers killed, Redis emptied, groups that never rest, operators who err.

Each trial keeps sagas of every workspace under way while it happens; all of them have to end.
"""

import asyncio
import os
import signal
from time import monotonic
from uuid import UUID

from redis.asyncio import Redis

from tests.chaos.batch import Result
from tests.chaos.drivers import Site, Sites
from tests.chaos.ends import TERMINAL, statuses_at_the_end
from tests.chaos.letters import Trouble, bug
from tests.chaos.operators import slips
from tests.chaos.platform import ChaosPlatform
from tools.journey.client import fresh_key

ENDED_S = 150.0
STORM_ROUNDS = 4
STORM_STAY_S = 4.0
SERVERS = ("kafka", "postgres", "mongo", "mongo_store", "redis")
STORMY = ("orchestrator", "billing", "studio")

CANCEL = """mutation($input: CancelOperationInput!) { cancelOperation(input: $input) {
    __typename ... on Operation { id state } ... on Failure { code message } } }"""


async def trial(platform: ChaosPlatform, sites: Sites, name: str, trouble: Trouble) -> Result:
    """Sagas begin, trouble comes, more sagas begin; all of them end."""
    await platform.await_ready()
    began = monotonic()
    try:
        saga_ids = await sites.begin()
        await trouble(platform, sites, saga_ids)
        saga_ids += await sites.begin()
        statuses = await statuses_at_the_end(platform, saga_ids, ENDED_S)
    except Exception as error:  # one trial is not to end the sweep
        return Result(name, "broken", monotonic() - began, f"{type(error).__name__}: {error}"[:500])
    finally:
        platform.calm()
    odd = [
        f"{saga_id} {status}"
        for saga_id, status in zip(saga_ids, statuses, strict=True)
        if status not in TERMINAL
    ]
    fate, said = ("stuck", ", ".join(odd)) if odd else ("ok", "")
    return Result(name, fate, monotonic() - began, said)


def server_killed(name: str) -> Trouble:
    """In the middle of sagas, twice; the supervisor starts it again on its data."""

    async def trouble(platform: ChaosPlatform, sites: Sites, saga_ids: list[UUID]) -> None:
        for _ in range(2):
            pid = await asyncio.to_thread(platform.pid_of, name)
            saga_ids += await sites.begin()
            os.kill(pid, signal.SIGKILL)
            saga_ids += await sites.begin()
            await asyncio.to_thread(platform.await_another, name, pid)

    return trouble


async def redis_emptied(platform: ChaosPlatform, sites: Sites, saga_ids: list[UUID]) -> None:
    """FLUSHALL: what Redis holds can be rebuilt."""
    redis = Redis.from_url(platform.servers.redis_url)
    try:
        await redis.flushall()
    finally:
        await redis.aclose()


def storm(service: str) -> Trouble:
    """A replica comes and goes, politely and not: the group is rebalanced each time."""

    async def trouble(platform: ChaosPlatform, sites: Sites, saga_ids: list[UUID]) -> None:
        for number in range(STORM_ROUNDS):
            await asyncio.to_thread(platform.join, service)
            await asyncio.sleep(STORM_STAY_S)
            saga_ids += await sites.begin()
            polite = signal.SIGTERM if number % 2 else signal.SIGKILL
            await asyncio.to_thread(platform.leave, polite)

    return trouble


async def cancelled_twice(platform: ChaosPlatform, sites: Sites, saga_ids: list[UUID]) -> None:
    """Each of a workspace's operations is cancelled by two hands at once, again and again, also
    when it has ended; while the orchestrator dies once."""
    await asyncio.to_thread(platform.kill9, "orchestrator")
    for _ in range(3):
        await asyncio.gather(*(_cancel_all(site) for site in sites.free for _ in range(2)))
        await asyncio.sleep(1)


async def _cancel_all(site: Site) -> None:
    traveller = site.traveller
    found = await traveller.insist(
        traveller.client.ask, OPERATIONS, id=traveller.story.workspace_id
    )
    for operation in found["operations"]["nodes"][:6]:
        await traveller.insist(
            traveller.client.do,
            CANCEL,
            operationId=operation["id"],
            idempotencyKey=fresh_key(),
        )


OPERATIONS = "query($id: ID!) { operations(workspaceId: $id) { nodes { id state } } }"

TRIALS: dict[str, Trouble] = {
    **{f"nemesis/{name} killed": server_killed(name) for name in SERVERS},
    "nemesis/redis emptied": redis_emptied,
    **{f"nemesis/rebalance storm in {name}": storm(name) for name in STORMY},
    "nemesis/operations cancelled twice": cancelled_twice,
    "nemesis/operators slip": slips,
    "nemesis/a bug in billing, redriven twice": bug("billing", "billing.ReserveQuota.v1"),
    "nemesis/a bug in studio, redriven twice": bug("studio", "studio.FreezeRevision.v1"),
}
"""By name, as `--only` takes it."""
