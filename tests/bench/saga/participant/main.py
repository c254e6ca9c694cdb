"""The participant's service: model, handlers, store and wiring in one place."""

import atexit
import os
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from chassis.errors import Rejected
from chassis.service import Service
from chassis.stores.aggregates import AggregateStore
from tests.bench.saga.contracts.dummy.thing import (
    DirtyThing,
    NobodyBuys,
    PaintThing,
    PutBackThing,
    ScrapeThing,
    SellThing,
    ShipThing,
    TakeThing,
    ThingDirtied,
    ThingPainted,
    ThingPutBack,
    ThingScraped,
    ThingShipped,
    ThingSold,
    ThingTaken,
    ThingWashed,
    WashThing,
)
from tests.bench.saga.participant.settings import Settings
from tests.bench.sampler import Sampler


@dataclass
class Thing:
    """`effects` counts what each command did, to be checked at the end."""

    thing_id: UUID
    workspace_id: UUID
    stage: int = 0
    effects: dict[str, int] = field(default_factory=dict)

    def do(self, effect: str, stage: int) -> None:
        self.effects[effect] = self.effects.get(effect, 0) + 1
        self.stage = stage


class Things(Protocol):
    async def get(self, thing_id: UUID) -> Thing | None: ...

    def save(self, thing: Thing) -> None: ...


class SqlThings(AggregateStore[Thing]):
    table = "thing"
    aggregate = Thing
    announces = "thing"

    @staticmethod
    def key(aggregate: Thing) -> UUID:
        return aggregate.thing_id


async def _moved(command: Any, things: Things, stage: int) -> dict[str, Any]:  # each of the below
    name = type(command).__name__
    thing = await things.get(command.thing_id)
    if thing is None:
        thing = Thing(command.thing_id, command.workspace_id)
    thing.do(name, stage)
    things.save(thing)
    return {"workspace_id": thing.workspace_id, "thing_id": thing.thing_id, "stage": stage}


async def take_thing(command: TakeThing, things: Things) -> ThingTaken:
    return ThingTaken(**await _moved(command, things, 1))


async def wash_thing(command: WashThing, things: Things) -> ThingWashed:
    return ThingWashed(**await _moved(command, things, 2))


async def paint_thing(command: PaintThing, things: Things) -> ThingPainted:
    return ThingPainted(**await _moved(command, things, 3))


async def sell_thing(command: SellThing, things: Things, settings: Settings) -> ThingSold:
    if settings.refusals and command.price % 3 == 0:
        raise Rejected(NobodyBuys(thing_id=command.thing_id))
    return ThingSold(**await _moved(command, things, 4))


async def ship_thing(command: ShipThing, things: Things) -> ThingShipped:
    return ThingShipped(**await _moved(command, things, 5))


async def put_back_thing(command: PutBackThing, things: Things) -> ThingPutBack:
    return ThingPutBack(**await _moved(command, things, 0))


async def dirty_thing(command: DirtyThing, things: Things) -> ThingDirtied:
    return ThingDirtied(**await _moved(command, things, 1))


async def scrape_thing(command: ScrapeThing, things: Things) -> ThingScraped:
    return ThingScraped(**await _moved(command, things, 2))


HANDLERS = (
    take_thing,
    wash_thing,
    paint_thing,
    sell_thing,
    ship_thing,
    put_back_thing,
    dirty_thing,
    scrape_thing,
)

service = Service(
    name="dummy",
    settings=Settings,
    handlers=HANDLERS,
    provides={Things: SqlThings},
    stores=("postgres",),
)

if __name__ == "__main__":
    sampler = Sampler()
    if "PROFILE" in os.environ:
        sampler.start()
        atexit.register(sampler.write, os.environ["PROFILE"])
    service.run()
