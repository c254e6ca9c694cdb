"""Activity reads nothing from its environment but what every service reads."""

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """The feed's page limits are in its contract."""
