"""Effects: changes that are decided, seen from before the statement, and not done yet."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import asyncpg

from chassis.testing.simulation.postgres.tables import Row, Table, Transaction

Merged = Callable[[Row, Row], Row | None]  # of the row that is there and the new one


class Effect(Protocol):
    """A change that is decided and not done yet. `apply` gives how many rows it affected."""

    def apply(self, transaction: Transaction) -> int: ...


@dataclass(slots=True)
class Inserts:
    """New rows. On a conflict over `columns` (() is any): `merged`, or nothing."""

    table: Table
    rows: list[Row]
    on_conflict: bool = False
    columns: tuple[str, ...] = ()
    merged: Merged | None = None
    done: list[Row] | None = None  # when asked for: the rows as they came to be

    def apply(self, transaction: Transaction) -> int:
        table, done = self.table, self.done
        count = 0
        for row in self.rows:
            if self.on_conflict:
                rival = table.rival(row, self.columns)
                if rival is not None:
                    made = self._merge(transaction, rival[1], row)
                    if made is not None:
                        count += 1
                        if done is not None:
                            done.append(made)
                    continue
            transaction.insert(table, row)
            count += 1
            if done is not None:
                done.append(row)
        return count

    def _merge(self, transaction: Transaction, there: Row, row: Row) -> Row | None:
        if self.merged is None:
            return None
        if transaction.made(there):
            raise asyncpg.CardinalityViolationError(
                "ON CONFLICT DO UPDATE command cannot affect row a second time"
            )
        made = self.merged(there, row)
        if made is not None:
            transaction.update(self.table, there, made)
        return made


@dataclass(slots=True)
class Updates:
    """Rows and what becomes of them; None: they are deleted."""

    table: Table
    pairs: list[tuple[Row, Row | None]]

    def apply(self, transaction: Transaction) -> int:
        count = 0
        for old, new in self.pairs:
            if new is None:
                count += transaction.delete(self.table, old)
            else:
                count += transaction.update(self.table, old, new)
        return count
