"""What messaging counts. `prometheus_client` directly: these are on the hot path."""

from prometheus_client import Counter, Gauge, Histogram

_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

OUTBOX_AGE = Gauge("basalt_outbox_age_seconds", "Age of the oldest row not yet sent")
OUTBOX_QUEUE = Gauge("basalt_outbox_queue_rows", "Rows in memory, on their way to Kafka")
OUTBOX_SENT = Counter(
    "basalt_outbox_sent_total", "Rows on their way (memory, scan); confirmed (kafka)", ["way"]
)
OUTBOX_RESETS = Counter("basalt_outbox_producer_resets_total", "Producers thrown away")
OUTBOX_UNROUTABLE = Counter("basalt_outbox_unroutable_total", "Rows whose topic is missing")
SHARDS_HELD = Gauge("basalt_outbox_shards_held", "Outbox shards that this replica relays")
CHUNK_RECORDS = Histogram("basalt_chunk_records", "Records in one transaction", buckets=_SIZES)
CHUNK_SECONDS = Histogram("basalt_chunk_seconds", "Time of one chunk", buckets=_SECONDS)
CHUNK_RERUNS = Counter("basalt_chunk_reruns_total", "Chunks run again", ["reason"])
INBOX_DUPLICATES = Counter("basalt_inbox_duplicates_total", "Messages seen before", ["group"])
HANDLED = Counter("basalt_messages_handled_total", "Messages by their fate", ["type", "fate"])
DEAD_LETTERS = Counter("basalt_dead_letters_total", "Messages given up", ["group", "reason"])
LAG = Gauge("basalt_consumer_lag_records", "Records not yet handled", ["topic", "partition"])
PARTITIONS = Gauge("basalt_consumer_partitions", "Partitions assigned to this replica", ["topic"])
PAUSES = Counter("basalt_consumer_pauses_total", "Waits for a dependency that was unavailable")
