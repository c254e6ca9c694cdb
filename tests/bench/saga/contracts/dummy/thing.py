"""Thing: something that goes through five hands. Owner: dummy."""

from uuid import UUID

from contracts.base import Command, Event, Rejection

KEY = "thing_id"


class ThingTaken(Event):
    workspace_id: UUID
    thing_id: UUID
    stage: int


class ThingWashed(Event):
    workspace_id: UUID
    thing_id: UUID
    stage: int


class ThingPainted(Event):
    workspace_id: UUID
    thing_id: UUID
    stage: int


class ThingSold(Event):
    workspace_id: UUID
    thing_id: UUID
    stage: int


class ThingShipped(Event):
    workspace_id: UUID
    thing_id: UUID
    stage: int


class ThingPutBack(Event):
    workspace_id: UUID
    thing_id: UUID


class ThingDirtied(Event):
    workspace_id: UUID
    thing_id: UUID


class ThingScraped(Event):
    workspace_id: UUID
    thing_id: UUID


class NobodyBuys(Rejection):
    """Its price is odd."""

    thing_id: UUID


class TakeThing(Command[ThingTaken]):
    workspace_id: UUID
    thing_id: UUID


class WashThing(Command[ThingWashed]):
    workspace_id: UUID
    thing_id: UUID


class PaintThing(Command[ThingPainted]):
    workspace_id: UUID
    thing_id: UUID


class SellThing(Command[ThingSold]):
    workspace_id: UUID
    thing_id: UUID
    price: int


class ShipThing(Command[ThingShipped]):
    workspace_id: UUID
    thing_id: UUID


class PutBackThing(Command[ThingPutBack]):
    workspace_id: UUID
    thing_id: UUID


class DirtyThing(Command[ThingDirtied]):
    workspace_id: UUID
    thing_id: UUID


class ScrapeThing(Command[ThingScraped]):
    workspace_id: UUID
    thing_id: UUID


class TradeThing(Command[ThingShipped]):
    """Starts the saga. A price of which three is a divisor finds no buyer if `refusals` is set."""

    workspace_id: UUID
    thing_id: UUID
    price: int
