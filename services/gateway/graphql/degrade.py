"""Doing without: a field that is not essential becomes null when its service is down or slow."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from chassis.errors import Unavailable
from chassis.resilience.deadline import deadline_at, now_ms
from services.gateway.errors import Degraded
from services.gateway.scope import Scope

T = TypeVar("T")
GRACE_S = 0.1
"""The call gives up by itself, so that its breaker learns of it; this is for what does not."""


async def or_degraded(scope: Scope, answer: Awaitable[T], what: str) -> T:
    """The answer; Degraded when its service is unavailable, or silent for too long: the rest must
    not wait for it. Only for nullable fields.

    `what` names the missing part to people: "The activity feed".
    """
    clock = scope.world.clock
    deadline_ms = now_ms(clock) + scope.world.optional_ms
    try:
        with deadline_at(deadline_ms):
            async with asyncio.timeout(scope.world.optional_ms / 1000 + GRACE_S):
                return await answer
    except (Unavailable, TimeoutError) as error:
        raise Degraded(what) from error
