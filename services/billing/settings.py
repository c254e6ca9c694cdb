"""Limits of billing. `PAYMENTS_URL` says where the payment provider is."""

from pydantic import Field

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """What billing reads from its environment besides what every service reads."""

    payments_url: str = ""
    work_parallel_max: int = Field(default=4, gt=0)  # payments that one replica asks for at a time
