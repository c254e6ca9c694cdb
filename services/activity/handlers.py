"""What activity does with an event: it remembers it."""

from chassis.messaging.envelope import Fact
from services.activity.model import Feed, entry_of


async def remember(fact: Fact, feed: Feed) -> None:
    """One entry for each event, however often it is delivered."""
    feed.add(entry_of(fact))


HANDLERS = (remember,)
