"""Orchestrator reads nothing from its environment but what every service reads."""

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """No limits of its own: `topic_partitions` is also the number of timer shards."""
