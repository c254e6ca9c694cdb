"""What the participant reads from its environment."""

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """`refusals`: whether every third price finds no buyer."""

    refusals: bool = False
