"""Activity, put together."""

from chassis.service import Service
from contracts.catalogue import EVENT_TOPICS
from services.activity import handlers, store, views
from services.activity.model import Feed
from services.activity.settings import Settings

service = Service(
    name="activity",
    settings=Settings,
    handlers=handlers.HANDLERS,
    views=views.VIEWS,
    provides={Feed: store.MongoFeed, store.FeedPages: store.FeedPages},
    stores=("postgres", "mongo"),
    taps_topics=EVENT_TOPICS,
)

if __name__ == "__main__":
    service.run()
