"""A simulated PostgreSQL: the real migrations' tables, the real code's SQL, virtual time.

    server = SimPostgres(clock.now, migrations_of(folder))   # a database; outlives processes
    database = SimDatabase(server, link)                      # one process's connections

A transaction is one synchronous step; faults are the link's. What it understands of SQL it
executes as PostgreSQL does (the same contract suite runs against both); anything else is an
UnknownStatement.
"""

from chassis.testing.simulation.postgres.database import DIRECT, DirectLink, Link, SimDatabase
from chassis.testing.simulation.postgres.server import SimPostgres
from chassis.testing.simulation.postgres.sql.tokens import UnknownStatement

__all__ = ["DIRECT", "DirectLink", "Link", "SimDatabase", "SimPostgres", "UnknownStatement"]
