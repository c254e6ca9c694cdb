"""CREATE TABLE, CREATE INDEX and ALTER TABLE, read into shapes of tables."""

from collections.abc import Callable
from typing import Any

from chassis.testing.simulation.postgres.sql.parser import Parser
from chassis.testing.simulation.postgres.sql.pieces import as_type
from chassis.testing.simulation.postgres.sql.scalars import compiled
from chassis.testing.simulation.postgres.sql.scope import Book, Scope
from chassis.testing.simulation.postgres.sql.syntax import Column, Node
from chassis.testing.simulation.postgres.sql.values import type_of
from chassis.testing.simulation.postgres.tables import Check, Row, Shape

_CONSTRAINTS = ("constraint", "primary", "unique", "check", "foreign")


class _Definition(Parser):
    """A column list under way."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.columns: dict[str, Column] = {}
        self.key: tuple[str, ...] = ()
        self.uniques: list[tuple[str, tuple[str, ...], Node | None]] = []
        self.checks: list[tuple[str, Node]] = []
        self.table = ""

    def table_name(self) -> str:
        self.take("if", "not", "exists")
        self.take("if", "exists")
        self.table = self.name()
        return self.table

    def parts(self) -> None:
        """`(column ..., constraint ...)`."""
        self.demand("(")
        self.part()
        while self.take(","):
            self.part()
        self.demand(")")

    def part(self) -> None:
        if self.token.text in _CONSTRAINTS and self.token.kind == "word":
            self.constraint(None)
            return
        column = Column(self.name(), "")
        kind = self.type_name()
        column.type, column.serial = type_of(kind), kind.endswith("serial")
        column.required = column.serial
        self.columns[column.name] = column
        while self.token.text not in (",", ")", ";") and self.token.kind != "end":
            self.constraint(column)

    def constraint(self, column: Column | None) -> None:
        """One of a column, or of the table."""
        name = self.name() if self.take("constraint") else ""
        own = () if column is None else (column.name,)
        if self.take("not", "null") and column is not None:
            column.required = True
        elif self.take("null") or self.take("collate"):
            self.token.kind == "name" and self.step()
        elif self.take("default") and column is not None:
            column.default = self.expression(4)
        elif self.take("generated", "always", "as") and column is not None:
            self.demand("(")
            column.generated = self.expression()
            self.demand(")", "stored")
        elif self.take("primary", "key"):
            self.key = own or self.names()
            for each in self.key:
                self.columns[each].required = True
        elif self.take("unique"):
            columns = own or self.names()
            self.uniques.append((name or f"{self.table}_{'_'.join(columns)}_key", columns, None))
        elif self.take("check"):
            self.demand("(")
            part = f"_{column.name}" if column is not None else ""
            self.checks.append((name or f"{self.table}{part}_check", self.expression()))
            self.demand(")")
        elif self.take("references"):
            self.name()
            self.at("(") and self.names()
        else:
            raise self.lost("a constraint expected")

    def finish(self, shape: Shape) -> None:
        """Compile what was read into the shape."""
        for name, columns, where in self.uniques:
            only = _condition(where, shape) if where is not None else None
            shape.uniques.append((name, columns, only))
            if len(columns) == 1:
                shape.indexed.add(columns[0])
        shape.checks += [(name, _condition(node, shape)) for name, node in self.checks]
        shape.generated = [
            (column.name, _condition(column.generated, shape))
            for column in self.columns.values()
            if column.generated is not None
        ]
        for column in self.columns.values():
            if column.default is not None:
                value = compiled(column.default, Scope(Book(self.text, {}, {})))
                shape.defaults[column.name] = as_type(value, column.type)


def define(text: str, shapes: dict[str, Shape]) -> bool:
    """Take one statement of a migration. False when it defines no table, index or constraint."""
    words = text.split(None, 4)
    first = " ".join(words[:2]).upper()
    if first == "CREATE TABLE":
        _create_table(_Definition(text), shapes)
    elif first in ("CREATE INDEX", "CREATE UNIQUE"):
        _create_index(_Definition(text), shapes)
    elif first == "ALTER TABLE":
        _alter_table(_Definition(text), shapes)
    elif first in ("DROP TABLE", "DROP INDEX"):
        parser = _Definition(text)
        parser.demand("drop")
        parser.step()
        shapes.pop(parser.table_name(), None)
    else:
        return False
    return True


def _create_table(parser: _Definition, shapes: dict[str, Shape]) -> None:
    parser.demand("create", "table")
    name = parser.table_name()
    if parser.take("partition", "of"):
        return  # its rows are the whole table's
    if name in shapes:
        return
    parser.parts()
    shape = Shape(name, parser.columns, parser.key)
    parser.finish(shape)
    shapes[name] = shape


def _create_index(parser: _Definition, shapes: dict[str, Shape]) -> None:
    parser.demand("create")
    unique = parser.take("unique")
    parser.demand("index")
    parser.take("if", "not", "exists")
    index = "" if parser.at("on") else parser.name()
    parser.demand("on")
    shape = shapes[parser.table_name()]
    method = parser.name() if parser.take("using") else "btree"
    parser.demand("(")
    columns = [order.value for order in parser.orders()]
    parser.demand(")")
    names = [getattr(node, "name", "") for node in columns]
    where = parser.expression() if parser.take("where") else None
    if method == "btree" and names[0] in shape.columns:
        shape.indexed.add(names[0])
    if unique:
        parser.uniques.append((index, tuple(names), where))
        parser.finish(shape)


def _alter_table(parser: _Definition, shapes: dict[str, Shape]) -> None:
    parser.demand("alter", "table")
    old = shapes[parser.table_name()]
    parser.columns, parser.key = dict(old.columns), old.key
    dropped: set[str] = set()
    while True:
        if parser.take("add", "column"):
            parser.take("if", "not", "exists")
            parser.part()
        elif parser.take("add"):
            parser.part()
        elif parser.take("drop", "constraint"):
            parser.take("if", "exists")
            dropped.add(parser.name())
        elif parser.take("drop", "column"):
            del parser.columns[parser.name()]
        elif parser.take("alter", "column"):
            _alter_column(parser)
        else:
            raise parser.lost("an alteration expected")
        if not parser.take(","):
            break
    shape = Shape(old.name, parser.columns, parser.key)
    shape.indexed |= old.indexed & parser.columns.keys()
    shape.uniques = [unique for unique in old.uniques if unique[0] not in dropped]
    shape.checks = [check for check in old.checks if check[0] not in dropped]
    shape.defaults = dict(old.defaults)
    parser.finish(shape)
    shapes[old.name] = shape


def _alter_column(parser: _Definition) -> None:
    column = parser.columns[parser.name()]
    if parser.take("drop", "not", "null"):
        column.required = False
    elif parser.take("set", "not", "null"):
        column.required = True
    elif parser.take("set", "default"):
        column.default = parser.expression(4)
    else:
        raise parser.lost("an alteration of a column expected")


def _condition(node: Node, shape: Shape) -> Check:
    scope = Scope(Book(f"a rule of {shape.name}", {shape.name: shape}, {}))
    kinds = {name: column.type for name, column in shape.columns.items()}
    slot = scope.frame(shape.name, kinds, shape).slot
    value: Callable[[list[Any]], Any] = compiled(node, scope).fn
    size = slot + 1

    def check(row: Row) -> object:
        env: list[Any] = [None] * size
        env[slot] = row
        return value(env)

    return check
