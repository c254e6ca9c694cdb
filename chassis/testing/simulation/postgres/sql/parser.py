"""The parser's half that reads queries and changes."""

from dataclasses import replace

from chassis.testing.simulation.postgres.sql.expressions import ExpressionParser
from chassis.testing.simulation.postgres.sql.syntax import (
    Call,
    Cast,
    Col,
    Conflicting,
    Const,
    Delete,
    Insert,
    Merge,
    Node,
    Query,
    Select,
    Source,
    Star,
    Update,
    When,
)

_AFTER_A_SOURCE = {
    *("where", "group", "order", "limit", "offset", "for", "union", "on", "cross", "left", "join"),
    *("inner", "set", "returning", "using", "when", "select", "with", "values", "from", "having"),
}
DEFAULT = Const("default of the column")
"""Marks DEFAULT in an INSERT."""


def parsed(text: str) -> Query:
    """The statement in a text. Raises UnknownStatement."""
    parser = Parser(text)
    query = parser.query()
    parser.take(";")
    if parser.token.kind != "end":
        raise parser.lost("more than was expected")
    return query


class Parser(ExpressionParser):
    """See ExpressionParser."""

    def query(self) -> Query:
        ctes: list[tuple[str, Query]] = []
        if self.take("with"):
            recursive = self.take("recursive")
            ctes.append(self._cte(recursive=recursive))
            while self.take(","):
                ctes.append(self._cte(recursive=recursive))
        given = tuple(ctes)
        if self.take("insert", "into"):
            return self._insert(given)
        if self.take("update"):
            return self._update(given)
        if self.take("delete", "from"):
            return self._delete(given)
        if self.take("merge", "into"):
            return self._merge(given)
        return self.select(given)

    def _cte(self, *, recursive: bool) -> tuple[str, Query]:
        name = self.name()
        self.demand("as", "(")
        query = self.query()
        self.demand(")")
        if recursive and isinstance(query, Select) and query.unions:
            query = replace(query, recursive=True)
        return name, query

    def select(self, ctes: tuple[tuple[str, Query], ...] = ()) -> Select:
        first = self._core(ctes)
        unions: list[Select] = []
        while self.take("union", "all"):
            unions.append(self._core(()))
        order = self.orders() if self.take("order", "by") else ()
        limit = self.expression() if self.take("limit") else None
        offset = self.expression() if self.take("offset") else None
        if self.take("for", "update") or self.take("for", "share"):
            if self.take("of"):
                self.name()
            self.take("skip", "locked")
        return replace(
            first, order=order, limit=limit, offset=offset, unions=tuple(unions), ctes=ctes
        )

    def _core(self, ctes: tuple[tuple[str, Query], ...]) -> Select:
        if self.take("("):  # with an ORDER BY and a LIMIT of its own
            inner = Source("arm", select=self.select())
            self.demand(")")
            return Select(((Star(""), "*"),), (inner,), ctes=ctes)
        self.demand("select")
        distinct_on: tuple[Node, ...] = ()
        distinct = False
        if self.take("distinct", "on"):
            self.demand("(")
            distinct_on = self.expressions()
            self.demand(")")
        else:
            distinct = self.take("distinct")
        empty = self.at("from") or self.at("where")  # EXISTS (SELECT FROM ...)
        outputs = () if empty else self.outputs()
        sources = self.sources() if self.take("from") else ()
        where = self.expression() if self.take("where") else None
        group = self.expressions() if self.take("group", "by") else None
        return Select(
            outputs,
            sources,
            where,
            group,
            distinct=distinct,
            distinct_on=distinct_on,
            ctes=ctes,
        )

    def outputs(self) -> tuple[tuple[Node, str], ...]:
        """`a, b AS c, *`."""
        found = [self._output()]
        while self.take(","):
            found.append(self._output())
        return tuple(found)

    def _output(self) -> tuple[Node, str]:
        value = self.expression()
        if self.take("as"):
            return value, self.name()
        if self.token.kind == "name":
            return value, self.name()
        if self.token.kind == "word" and self.token.text not in _AFTER_A_SOURCE:
            return value, self.name()
        return value, name_of(value)

    def sources(self) -> tuple[Source, ...]:
        """What comes after FROM or USING."""
        found = [self._source()]
        while True:
            if self.take(",") or self.take("cross", "join"):
                found.append(self._source())
            elif self.at("left") or self.at("join") or self.at("inner"):
                left = self.take("left")
                self.take("outer")
                self.take("inner")
                self.demand("join")
                found.append(self._source(left=left, joined=True))
            else:
                return tuple(found)

    def _source(self, *, left: bool = False, joined: bool = False) -> Source:
        self.take("lateral")
        call: Call | None = None
        select: Select | None = None
        name = ""
        if self.take("("):
            query = self.query()
            assert isinstance(query, Select), "a subquery"
            select = query
            self.demand(")")
        else:
            name = self.name()
            if self.take("("):
                call = self.call(name)
        ordinality = self.take("with", "ordinality")
        alias, columns = self._alias(name)
        on = None
        if joined:
            self.demand("on")
            on = self.expression()
        plain = "" if call or select else name
        return Source(alias, plain, call, select, columns, ordinality, left, on)

    def _alias(self, name: str) -> tuple[str, tuple[str, ...]]:
        if self.take("as") or self._may_be_alias():
            alias = self.name()
            return alias, self.names() if self.at("(") else ()
        return name, ()

    def _may_be_alias(self) -> bool:
        token = self.token
        return token.kind == "name" or (token.kind == "word" and token.text not in _AFTER_A_SOURCE)

    def _returning(self) -> tuple[tuple[Node, str], ...]:
        return self.outputs() if self.take("returning") else ()

    def _insert(self, ctes: tuple[tuple[str, Query], ...]) -> Insert:
        table = self.name()
        alias = self.name() if self.take("as") else table
        columns = self.names() if self.at("(") else ()
        select: Select | None = None
        values: list[tuple[Node, ...]] = []
        if self.take("values"):
            values.append(self._values())
            while self.take(","):
                values.append(self._values())
        elif self.take("default", "values"):
            values.append(())
        else:
            select = self.select()
        conflict = self._conflict() if self.take("on", "conflict") else None
        returning = self._returning()
        return Insert(table, alias, columns, select, tuple(values), conflict, returning, ctes)

    def _values(self) -> tuple[Node, ...]:
        self.demand("(")
        found = [DEFAULT if self.take("default") else self.expression()]
        while self.take(","):
            found.append(DEFAULT if self.take("default") else self.expression())
        self.demand(")")
        return tuple(found)

    def _conflict(self) -> Conflicting:
        columns = self.names() if self.at("(") else ()
        if columns and self.take("where"):
            self.expression()  # of a partial index: its columns are enough to find it
        self.demand("do")
        if self.take("nothing"):
            return Conflicting(columns, None)
        self.demand("update", "set")
        sets = self._sets()
        where = self.expression() if self.take("where") else None
        return Conflicting(columns, sets, where)

    def _sets(self) -> tuple[tuple[str, Node], ...]:
        found = [self._set()]
        while self.take(","):
            found.append(self._set())
        return tuple(found)

    def _set(self) -> tuple[str, Node]:
        name = self.name()
        self.demand("=")
        return name, self.expression()

    def _update(self, ctes: tuple[tuple[str, Query], ...]) -> Update:
        table, alias = self._target()
        self.demand("set")
        sets = self._sets()
        sources = self.sources() if self.take("from") else ()
        where = self.expression() if self.take("where") else None
        return Update(table, alias, sets, sources, where, self._returning(), ctes)

    def _delete(self, ctes: tuple[tuple[str, Query], ...]) -> Delete:
        table, alias = self._target()
        sources = self.sources() if self.take("using") else ()
        where = self.expression() if self.take("where") else None
        return Delete(table, alias, sources, where, self._returning(), ctes)

    def _target(self) -> tuple[str, str]:
        table = self.name()
        alias, _ = self._alias(table)
        return table, alias

    def _merge(self, ctes: tuple[tuple[str, Query], ...]) -> Merge:
        table, alias = self._target()
        self.demand("using")
        source = self._source()
        self.demand("on")
        on = self.expression()
        whens: list[When] = []
        while self.take("when"):
            whens.append(self._when())
        return Merge(table, alias, source, on, tuple(whens), self._returning(), ctes)

    def _when(self) -> When:
        matched = not self.take("not")
        self.demand("matched")
        condition = self.expression() if self.take("and") else None
        self.demand("then")
        if self.take("do", "nothing"):
            return When(matched, condition, nothing=True)
        if self.take("delete"):
            return When(matched, condition)
        if self.take("update", "set"):
            return When(matched, condition, self._sets())
        self.demand("insert")
        columns = self.names() if self.at("(") else ()
        self.demand("values")
        return When(matched, condition, columns=columns, values=self._values())


def name_of(value: Node) -> str:
    """The name that PostgreSQL gives an output without one."""
    if isinstance(value, Cast):
        return name_of(value.value)
    if isinstance(value, Col | Call):
        return value.name
    return "?column?"
