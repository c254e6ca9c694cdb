"""What the lot counts. Together with the records still on Kafka the fates of `RECORDS` and the
rows of `LETTERS` account for everything that was published."""

from functools import lru_cache

from prometheus_client import Counter, Gauge

RECORDS = Counter(
    "basalt_consumer_records_total",
    "Records taken from Kafka: handled, duplicate, ignored, undecodable, failed, waiting",
    ["group", "fate"],
)
LETTERS = Gauge("basalt_dead_letter_rows", "Rows of the dead letter table", ["group", "state"])
OLDEST = Gauge("basalt_parked_oldest_seconds", "Age of the oldest open row", ["group"])
FULL = Gauge("basalt_parking_full", "1 while a partition waits for room in the lot", ["group"])
RETRIES = Counter("basalt_parked_retries_total", "Tries of parked messages", ["group", "outcome"])


@lru_cache(maxsize=256)
def records(group: str, fate: str) -> Counter:
    """One fate's counter."""
    return RECORDS.labels(group, fate)
