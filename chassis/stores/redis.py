"""Redis: what can expire or be rebuilt, and nothing else."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff


def open_redis(url: str, *, timeout: float = 1.0, connections_max: int = 32) -> Redis:
    """A client whose every call ends within `timeout` seconds and is tried once: the callers
    decide what a missing cache means. A blocking reader needs a client of its own."""
    return Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        max_connections=connections_max,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=30,
    )
