"""What the tests of parking stand on."""

from tests.chassis.messaging.conftest import commit, database, sender

__all__ = ["commit", "database", "sender"]
