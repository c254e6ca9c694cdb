"""The verdict: what an observer, who trusts no service, finds in stores and topics."""

from typing import Protocol

from tests.chaos.platform import ChaosPlatform
from tests.flows.soundness import assert_sound


class Judge(Protocol):
    """Says what is wrong once everything is at rest; empty when nothing is."""

    async def __call__(self, platform: ChaosPlatform) -> list[str]: ...


async def soundness(platform: ChaosPlatform) -> list[str]:
    """The flow tests' own checks."""
    try:
        await assert_sound(platform)  # type: ignore[arg-type]  # it asks for the same addresses
    except AssertionError as error:
        return [str(error)[:2000]]
    return []
