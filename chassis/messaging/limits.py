"""How much relay and runner do at a time, and how long they wait."""

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


@dataclass(frozen=True, slots=True)
class RunnerLimits:
    """Sizes in records, times in seconds."""

    chunk_records_max: int = 512
    gather_s: float = 0.004  # wait for company, but only when busy
    lanes: int = 2
    patience_s: float = 0.02  # what does not fill a chunk waits so long for a busy lane
    buffer_records_max: int = 2000  # of one partition; above it the partition is paused
    poll_s: float = 0.2
    commit_s: float = 0.5
    commit_timeout_s: float = 5.0
    drain_s: float = 20.0
    retry_s: float = 0.1
    retry_max_s: float = 5.0
    stalled_s: float = 30.0
