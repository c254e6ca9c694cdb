"""A kind of damage, and the name under which it must be told."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.tools.check.messages import named
from tests.tools.check.stores import Stores
from tests.tools.check.world import Tenant, World

A, B = Tenant("a"), Tenant("b")
STRANGER = named("stranger")
Before = Callable[[World], None]
After = Callable[[Stores], Awaitable[None]]


def _nothing(world: World) -> None:
    pass


async def _nothing_more(stores: Stores) -> None:
    pass


@dataclass(frozen=True)
class Case:
    """Damage: `before` to the world as it is written, `after` to the stores."""

    name: str
    what: str
    before: Before = _nothing
    after: After = _nothing_more
    at_rest: bool = False


def sql(service: str, *statements: str) -> After:
    """Damage by SQL."""

    async def plant(stores: Stores) -> None:
        await stores.run(service, *statements)

    return plant
