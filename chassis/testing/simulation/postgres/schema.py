"""Schema: tables and functions, as the real migrations make them."""

import builtins
import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from chassis.stores.migrate import Migrations
from chassis.testing.simulation.postgres.procedures import PROCEDURES
from chassis.testing.simulation.postgres.sql.definitions import define
from chassis.testing.simulation.postgres.sql.scope import Procedure
from chassis.testing.simulation.postgres.sql.tokens import UnknownStatement
from chassis.testing.simulation.postgres.tables import Shape

_FUNCTION = re.compile(r"CREATE (?:OR REPLACE )?FUNCTION (\w+)", re.IGNORECASE)
_PARENT = re.compile(r"^down_revision(?:\s*:[^=]+)?\s*=\s*(?:\"([^\"]+)\"|None)", re.M)
_TRIGGER = re.compile(
    r"CREATE (?:OR REPLACE )?(?:CONSTRAINT )?TRIGGER .* EXECUTE (?:FUNCTION|PROCEDURE) (\w+)",
    re.IGNORECASE | re.DOTALL,
)
_IGNORED = ("SELECT ", "COMMENT ", "ANALYZE", "SET ", "DROP FUNCTION ")


class Schema:
    """What a database's migrations have made. Never changed once it is in use; see `copy`."""

    def __init__(self, ignored: Collection[str] = ()) -> None:
        self._ignored = ignored  # functions that are not simulated, and need not be
        self.shapes: dict[str, Shape] = {}
        self.procedures: dict[str, Procedure] = {}
        self.plans: dict[str, Any] = {}  # Plan by text: what was understood once stays so
        self.fragment_plans: dict[str, Any] = {}  # the same, by a text with `{}`
        self.heads: dict[str, str] = {}  # the newest revision by its table

    def execute(self, text: str) -> None:
        """One statement of a migration. Raises UnknownStatement."""
        text = text.strip()
        function = _FUNCTION.match(text) or _TRIGGER.match(text)
        if function is not None:
            name = function.group(1)
            if name in PROCEDURES:
                self.procedures[name] = PROCEDURES[name]
            elif name not in self._ignored:
                raise UnknownStatement(f"function {name} is not simulated; name it in `ignored`")
        elif not define(text, self.shapes) and not text.upper().startswith(_IGNORED):
            raise UnknownStatement(text)

    def copy(self) -> "Schema":
        """One to go on from."""
        made = Schema(self._ignored)
        made.shapes, made.procedures = dict(self.shapes), dict(self.procedures)
        made.heads = self.heads
        return made


class _Recorder:
    """Stands for alembic's `op` while a migration runs."""

    def __init__(self, schema: Schema, versions: str) -> None:
        self._schema = schema
        self._schema.execute(f"CREATE TABLE {versions} (version_num text PRIMARY KEY)")

    def execute(self, text: str) -> None:
        self._schema.execute(text)


@lru_cache(maxsize=64)
def migrated(wanted: tuple[Migrations, ...], ignored: tuple[str, ...] = ()) -> Schema:
    """The schema that these migrations make. Read once for all databases of a run. `ignored`:
    functions that are not simulated, nor the triggers that call them."""
    schema = Schema(ignored)
    for migrations in wanted:
        recorder = _Recorder(schema, migrations.version_table)
        for file in _in_order(sorted((migrations.folder / "versions").glob("*.py"))):
            _upgrade(file, recorder)
        schema.heads[migrations.version_table] = migrations.head
    return schema


def _in_order(files: Sequence[Path]) -> list[Path]:
    """Each after the one that it names."""
    parents: dict[str, Path] = {}
    names: dict[Path, str] = {}
    for file in files:
        text = file.read_text()
        found = _PARENT.search(text)
        parents[(found.group(1) if found else "") or ""] = file
        named = re.search(r"^revision(?:\s*:[^=]+)?\s*=\s*\"([^\"]+)\"", text, re.M)
        names[file] = named.group(1) if named else ""
    ordered: list[Path] = []
    revision = ""
    while (file_ := parents.get(revision)) is not None and file_ not in ordered:
        ordered.append(file_)
        revision = names[file_]
    return ordered


def _upgrade(file: Path, recorder: _Recorder) -> None:
    """Run a migration. Alembic is slow to import, and only its `op` is asked for."""
    given = SimpleNamespace(op=recorder)

    def importing(name: str, *rest: Any) -> Any:  # as `__import__`: whatever a module is
        return given if name == "alembic" else builtins.__import__(name, *rest)

    names: dict[str, Any] = {"__builtins__": vars(builtins) | {"__import__": importing}}
    exec(compile(file.read_text(), str(file), "exec"), names)  # noqa: S102  # a file of ours
    names["upgrade"]()
