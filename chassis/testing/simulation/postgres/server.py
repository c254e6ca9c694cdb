"""SimPostgres: one database. Each call is a transaction, applied at one instant: all or nothing."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from chassis.errors import Conflict
from chassis.stores.migrate import CHASSIS, Migrations
from chassis.stores.statement import Fragment, Reading, Statement
from chassis.testing.simulation.postgres.effects import Effect
from chassis.testing.simulation.postgres.plans import Plan, Values, numbered, plan_of
from chassis.testing.simulation.postgres.records import Record, record_type
from chassis.testing.simulation.postgres.schema import migrated
from chassis.testing.simulation.postgres.sql.scope import Run
from chassis.testing.simulation.postgres.tables import Row, Table, Transaction


class Ear(Protocol):
    """Who listens for notifications."""

    def heard(self, channel: str, payload: str) -> None: ...


class SimPostgres:
    """A database with the tables of `migrations`. `now` is its clock; `ignored` names functions
    of the migrations that are not simulated, with the triggers that call them.

    Nothing here awaits: what happens to a call on its way is the business of a link (see
    SimDatabase). Raises Conflict as the real one does, asyncpg's errors for broken rules, and
    UnknownStatement for a text that it does not understand.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        migrations: Sequence[Migrations] = (CHASSIS,),
        ignored: Sequence[str] = (),
    ) -> None:
        self._now = now
        self._schema = migrated(tuple(migrations), tuple(ignored))
        self.tables: dict[str, Table] = {
            name: Table(shape) for name, shape in self._schema.shapes.items()
        }
        for table, head in self._schema.heads.items():
            self.tables[table].put(head, {"version_num": head})
        self._ears: dict[str, dict[Ear, None]] = {}

    def rows(self, table: str) -> list[Row]:
        """A table's rows as they are now, for whoever checks: not to be changed."""
        return list(self.tables[table].rows.values())

    # --- what a database does

    def query(self, sql: str, args: Sequence[object]) -> tuple[Plan, Sequence[Values], str]:
        """Run one text: its rows, and PostgreSQL's command tag."""
        if sql.lstrip()[:6].upper() in ("CREATE", "ALTER ", "DROP T", "DROP I"):
            self._define(sql)
            return _NO_PLAN, [], "CREATE"
        plan = self.plan(sql)
        transaction = Transaction()
        run = Run(self.tables, args, self._now(), transaction)
        try:
            if plan.rows is not None:
                rows = plan.rows(run)
                for effect in run.effects:
                    effect.apply(transaction)
                count = len(rows)
            else:
                assert plan.decide is not None, "a plan reads or changes"
                effect, returned = plan.decide(run)
                count = effect.apply(transaction)
                for other in run.effects:
                    other.apply(transaction)
                rows = returned()
        except BaseException:
            transaction.undo()
            raise
        self._notify(transaction)
        return plan, rows, f"{plan.tag} {count}"

    def statement(self, statement: Statement) -> Record:
        """Run a Statement: the row of its selects."""
        transaction = Transaction()
        now = self._now()
        try:
            decided = [
                (fragment, self._decided(fragment, now, transaction))
                for fragment in statement.fragments
            ]
            names, values = self._outputs(statement, now, transaction)
            # PostgreSQL runs what its main query asks for first, the others from the last back.
            for place, (fragment, effect) in enumerate(decided):
                if fragment.expect is not None:
                    count = effect.apply(transaction)
                    if count != fragment.expect:
                        _mismatch(f"f{place}", count, fragment.expect)
            for fragment, effect in reversed(decided):
                if fragment.expect is None:
                    effect.apply(transaction)
        except BaseException:
            transaction.undo()
            raise
        self._notify(transaction)
        return record_type(tuple(names))(values)

    def reading(self, reading: Reading) -> list[list[Any]]:
        """Run a Reading: the rows of each part, for its `into`."""
        now = self._now()
        found: list[list[Any]] = []
        for sql, args, _ in reading.parts:
            found.append(list(self._read(sql, args, now, None)))
        return found

    def plan(self, sql: str) -> Plan:
        """The plan of a text with `$n`. Raises UnknownStatement."""
        plan = self._schema.plans.get(sql)
        if plan is None:
            plan = self._schema.plans[sql] = plan_of(sql, self._schema)
        return plan

    def fragment_plan(self, sql: str) -> Plan:
        """The plan of a Statement's or Reading's part, with `{}`. Raises UnknownStatement."""
        plan = self._schema.fragment_plans.get(sql)
        if plan is None:
            plan = self._schema.fragment_plans[sql] = self.plan(_whole(numbered(sql)))
        return plan

    def name_of(self, sql: str) -> str:
        """A short name of a text, for tapes and links."""
        plan = self._schema.plans.get(sql)
        return plan.name if plan is not None else " ".join(sql.split(None, 3)[:3])

    # --- notifications

    def listen(self, channel: str, ear: Ear) -> None:
        self._ears.setdefault(channel, {})[ear] = None

    def unlisten(self, channel: str, ear: Ear) -> None:
        self._ears.get(channel, {}).pop(ear, None)

    def _notify(self, transaction: Transaction) -> None:
        for channel, payload in transaction.notices:
            for ear in list(self._ears.get(channel, ())):
                ear.heard(channel, payload)

    # --- private

    def _define(self, sql: str) -> None:
        """A table of a test's own: this database goes on with a schema of its own."""
        schema = self._schema.copy()
        for text in sql.split(";"):
            if text.strip():
                schema.execute(text)
        for name, shape in schema.shapes.items():
            old = self.tables.get(name)
            if old is None or old.shape is not shape:
                self.tables[name] = _moved(old, Table(shape))
        for name in self.tables.keys() - schema.shapes.keys():
            del self.tables[name]
        self._schema = schema

    def _decided(self, fragment: Fragment, now: datetime, transaction: Transaction) -> Effect:
        plan = self.fragment_plan(fragment.sql)
        assert plan.decide is not None, f"not a change: {fragment.sql}"
        run = Run(self.tables, fragment.args, now, transaction)
        return plan.decide(run)[0]

    def _outputs(
        self, statement: Statement, now: datetime, transaction: Transaction
    ) -> tuple[list[str], list[Any]]:
        names: list[str] = []
        values: list[Any] = []
        for sql, args, name, demand in statement.outputs:
            rows = self._read(sql, args, now, transaction)
            value = rows[0][0] if rows else None
            if demand is None:
                names.append(name)
                values.append(value)
            elif value != demand:
                _mismatch(name, value, demand)
        return names, values

    def _read(
        self, sql: str, args: Sequence[object], now: datetime, transaction: Transaction | None
    ) -> Sequence[Values]:
        plan = self.fragment_plan(sql)
        assert plan.rows is not None, f"not a query: {sql}"
        return plan.rows(Run(self.tables, args, now, transaction or Transaction()))


def _whole(text: str) -> str:
    """A query, also of what Statement.select takes as an expression."""
    first = text.split(None, 1)[0].upper()
    return text if first in _VERBS else f"SELECT {text}"


def _mismatch(name: str, found: object, wanted: int) -> None:
    raise Conflict(f"{name}: {found} rows affected, {wanted} expected")


def _moved(old: Table | None, new: Table) -> Table:
    """A table that was altered keeps its rows; new columns are NULL or have their default."""
    if old is not None:
        new.numbers = old.numbers
        for key, row in old.rows.items():
            fresh: dict[str, Any] = {
                name: row.get(name) if name in row else _filled(new, name)
                for name in new.shape.columns
            }
            new.put(key, fresh)
    return new


def _filled(table: Table, name: str) -> Any:  # the column's default: any value
    default = table.shape.defaults.get(name)
    return None if default is None else default([None])


_VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH")
_NO_PLAN = Plan([])
