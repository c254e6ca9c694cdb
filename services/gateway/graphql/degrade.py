"""Doing without: a field that is not essential becomes null when its service is down."""

from collections.abc import Awaitable
from typing import TypeVar

from chassis.errors import Unavailable
from services.gateway.errors import Degraded

T = TypeVar("T")


async def or_degraded(answer: Awaitable[T], what: str) -> T:
    """The answer; Degraded when its service is unavailable. Only for nullable fields.

    `what` names the missing part to people: "The activity feed".
    """
    try:
        return await answer
    except Unavailable as error:
        raise Degraded(what) from error
