"""Migrations: the chassis's tables and a service's own, each with a version table of its own.

A service's folder holds nothing but `versions/*.py`; alembic's machinery is here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chassis.errors import Conflict, Unavailable
from chassis.stores.postgres import Database

_LINK = re.compile(r"^(revision|down_revision)(?:\s*:[^=]+)?\s*=\s*(?:\"([^\"]+)\"|None)", re.M)


@dataclass(frozen=True, slots=True)
class Migrations:
    """A folder with `versions/*.py`, and the table that says how far a database has come."""

    folder: Path
    version_table: str

    @property
    def head(self) -> str:
        """The newest revision, or "" when there is none. Read as text: alembic is slow to import,
        and every service asks this at its start. ValueError when there are several heads."""
        revisions: set[str] = set()
        parents: set[str] = set()
        for file in sorted((self.folder / "versions").glob("*.py")):
            for name, value in _LINK.findall(file.read_text()):
                (revisions if name == "revision" else parents).add(value)
        heads = revisions - parents
        if len(heads) > 1:
            raise ValueError(f"{self.folder}: several heads: {', '.join(sorted(heads))}")
        return heads.pop() if heads else ""


CHASSIS = Migrations(Path(__file__).parent / "migrations", "alembic_version_chassis")


def migrations_of(package_folder: Path) -> list[Migrations]:
    """The chassis's migrations, then the service's own when it has any."""
    own = package_folder / "migrations"
    if not (own / "versions").is_dir():
        return [CHASSIS]
    return [CHASSIS, Migrations(own, "alembic_version")]


async def behind(database: Database, wanted: Sequence[Migrations]) -> list[str]:
    """What the database lacks, as "version table: found -> wanted"; empty when it is current."""
    tables = await database.fetchval(
        "SELECT array_agg(name) FROM unnest($1::text[]) AS name"
        " WHERE to_regclass(name) IS NOT NULL",
        [migrations.version_table for migrations in wanted],
    )
    missing = []
    for migrations in wanted:
        found = ""
        if migrations.version_table in (tables or ()):
            found = await database.fetchval(
                f"SELECT min(version_num) FROM {migrations.version_table}"  # noqa: S608
            )
        if (found or "") != migrations.head:
            missing.append(f"{migrations.version_table}: {found or 'nothing'} -> {migrations.head}")
    return missing


async def not_ready(database: Database, wanted: Sequence[Migrations]) -> str:
    """Why the database cannot serve yet; "" when it can. For /readyz."""
    try:
        missing = await behind(database, wanted)
    except (Unavailable, Conflict) as error:
        return f"postgres: {error}"
    return f"migrations missing: {'; '.join(missing)}" if missing else ""


async def migrate(url: str, wanted: Sequence[Migrations]) -> None:
    """Bring one database up to date. Alembic keeps global state: one database at a time."""
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1),
        poolclass=NullPool,
        connect_args={"timeout": 10, "command_timeout": 300},
    )
    try:
        async with engine.begin() as connection:
            for migrations in wanted:
                await connection.run_sync(_upgrade, migrations)
    finally:
        await engine.dispose()


def _upgrade(connection: object, migrations: Migrations) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(
        str(migrations.folder), version_locations=[str(migrations.folder / "versions")]
    )

    def steps(revision: object, _context: object) -> object:
        return script._upgrade_revs("head", revision)  # type: ignore[arg-type]

    with EnvironmentContext(Config(), script, fn=steps, destination_rev="head") as environment:
        environment.configure(
            connection=connection,  # type: ignore[arg-type]
            fn=steps,
            version_table=migrations.version_table,
        )
        with environment.begin_transaction():
            environment.run_migrations()
