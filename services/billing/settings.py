"""Billing reads nothing from its environment but what every service reads."""

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """No limits of its own: plans are data of the model."""
