"""What the tests of parking stand on."""

import pytest

from chassis.parking.desk import LetterDesk
from chassis.stores.postgres import Database
from chassis.testing.messages import DirectCommit
from tests.chassis.messaging.conftest import commit, database, sender
from tests.chassis.parking.operators import DAY_S, POISON
from tests.chassis.parking.yard import Mood, Yard, a_yard

__all__ = ["commit", "database", "sender"]


@pytest.fixture
def desk(database: Database) -> LetterDesk:
    return LetterDesk(database, "billing", 7 * DAY_S)


@pytest.fixture
def yard(database: Database, commit: DirectCommit) -> Yard:
    return a_yard(database, mood=Mood({POISON: RuntimeError("a bug")}), commit_point=commit)
