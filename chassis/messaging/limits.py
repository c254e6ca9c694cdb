"""How much the relay does at a time, and how long it waits."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """Sizes in rows, times in seconds."""

    shards: int = 16
    lease_s: float = 3.0
    tick_s: float = 1.0
    poll_age_s: float = 1.5
    sweep_s: float = 0.25
    queue_max: int = 20_000
    scan_rows: int = 1000
    rescan_s: float = 0.05  # after a scan that found nothing, though a commit is in doubt
    delete_rows: int = 2000
    connect_s: float = 10.0
    retry_s: float = 0.5
    unroutable_s: float = 10.0
    inbox_keep_s: float = 7 * 86_400.0  # longer than any message can take to come again
    prune_s: float = 600.0
    wake_s: float = 5.0  # a loop looks around even when nobody wakes it
