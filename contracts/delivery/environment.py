"""Environment: where a release of an app can be live. Owner: delivery."""

from enum import StrEnum


class Environment(StrEnum):
    """Each app has both. Only production can be made public."""

    STAGING = "staging"
    PRODUCTION = "production"
