"""A bug in a handler: its messages are parked, and operators redrive them, twice and too often."""

import asyncio
from collections.abc import Callable, Coroutine
from uuid import UUID

from tests.chaos.cases import Arm
from tests.chaos.drivers import Sites
from tests.chaos.platform import ChaosPlatform
from tests.flows.soundness import fetch

PARKED_S = 60.0
POLL_S = 0.2
FAILURES = 1000
REDRIVE = {"preview": False, "limit": 500, "per_second": 1000, "reason": "a slip of the hand"}
_PARKED = "SELECT count(*) FROM dead_letter WHERE state = 'failed'"


Trouble = Callable[[ChaosPlatform, Sites, list[UUID]], Coroutine[None, None, None]]
"""What happens. Sagas that it starts itself it adds to the list."""


def bug(service: str, message_type: str) -> Trouble:
    """The handler of a type fails until its keys are parked. Then it is mended, the service dies,
    and two hands redrive everything, again when there is nothing left."""
    rule = Arm(service, "participant.handle", message_type, action="error", times=FAILURES)

    async def trouble(platform: ChaosPlatform, sites: Sites, saga_ids: list[UUID]) -> None:
        await platform.arm(rule, None)
        saga_ids += await sites.begin()
        await _parked(platform, service)
        await platform.disarm([service])
        await asyncio.to_thread(platform.kill9, service)
        for _ in range(3):
            body = {**REDRIVE, "topic": f"cmd.{service}.v1"}
            orders = [platform.order(service, "RedriveDeadLetters", body) for _ in range(2)]
            for response in await asyncio.gather(*orders):
                assert response.status_code in (200, 409), response.text
            await asyncio.sleep(1)

    return trouble


async def _parked(platform: ChaosPlatform, service: str) -> None:
    """Until there is a letter."""
    async with asyncio.timeout(PARKED_S):
        while True:
            (row,) = await fetch(platform, service, _PARKED)  # type: ignore[arg-type]
            if row[0]:
                return
            await asyncio.sleep(POLL_S)
