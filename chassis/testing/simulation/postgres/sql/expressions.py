"""The parser's half that reads expressions."""

from chassis.testing.simulation.postgres.sql.syntax import (
    ArrayOf,
    Call,
    Case,
    Cast,
    Col,
    Const,
    Exists,
    Extract,
    Index,
    Node,
    OneOf,
    Op,
    Order,
    Param,
    Quantified,
    Select,
    Star,
    Tuple,
    Unary,
)
from chassis.testing.simulation.postgres.sql.tokens import Token, UnknownStatement, tokens_of

_COMPARISONS = {"=", "<>", "!=", "<", ">", "<=", ">="}
_OTHERS = {"~", "~*", "!~", "||", "->>", "->", "<@", "@>", "?"}
_BINDING = dict.fromkeys(_COMPARISONS, 5) | dict.fromkeys(_OTHERS, 7)
_BINDING |= {"or": 1, "and": 2, "is": 4, "in": 6, "between": 6, "like": 6, "not": 6}
_BINDING |= {"+": 8, "-": 8, "*": 9, "/": 9, "%": 9, "::": 12, "[": 12}
_NO_COLUMNS = {"from", "where", "and", "or", "select", "then", "else", "end", "order", "limit"}
_LONG_TYPES = {
    "double precision": "float8",
    "timestamp with time zone": "timestamptz",
    "character varying": "text",
}


class ExpressionParser:
    """Reads one text from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = tokens_of(text)
        self._place = 0

    # --- tokens

    @property
    def token(self) -> Token:
        return self._tokens[self._place]

    def ahead(self, count: int = 1) -> Token:
        return self._tokens[min(self._place + count, len(self._tokens) - 1)]

    def step(self) -> Token:
        token = self._tokens[self._place]
        self._place += 1
        return token

    def at(self, *words: str) -> bool:
        """Whether these words or operators come next."""
        for count, word in enumerate(words):
            token = self.ahead(count)
            if token.text != word or token.kind not in ("word", "op"):
                return False
        return True

    def take(self, *words: str) -> bool:
        """Step over these words if they come next."""
        if self.at(*words):
            self._place += len(words)
            return True
        return False

    def demand(self, *words: str) -> None:
        if not self.take(*words):
            raise self.lost(f"{' '.join(words)!r} expected")

    def lost(self, why: str) -> UnknownStatement:
        return UnknownStatement(f"{why}, at {self.token.text!r} in: {self.text}")

    def name(self) -> str:
        if self.token.kind not in ("word", "name"):
            raise self.lost("a name expected")
        return self.step().text

    def names(self) -> tuple[str, ...]:
        """`(a, b, c)`."""
        self.demand("(")
        found = [self.name()]
        while self.take(","):
            found.append(self.name())
        self.demand(")")
        return tuple(found)

    # --- expressions

    def expression(self, least: int = 0) -> Node:
        """Everything that binds more tightly than `least`."""
        left = self._prefix()
        while True:
            token = self.token
            binding = _BINDING.get(token.text, 0) if token.kind in ("word", "op") else 0
            if token.text == "not" and self.ahead().text not in ("in", "between", "like"):
                binding = 0
            if binding <= least:
                return left
            left = self._infix(left, self.step().text, binding)

    def expressions(self) -> tuple[Node, ...]:
        found = [self.expression()]
        while self.take(","):
            found.append(self.expression())
        return tuple(found)

    def select(self) -> Select:
        raise NotImplementedError

    def orders(self) -> tuple[Order, ...]:
        found = [self._order()]
        while self.take(","):
            found.append(self._order())
        return tuple(found)

    def type_name(self) -> str:
        for words, short in _LONG_TYPES.items():
            if self.take(*words.split()):
                name = short
                break
        else:
            name = self.name()
        if self.take("("):
            while not self.take(")"):
                self.step()
        return name + "[]" if self.take("[", "]") else name

    def _order(self) -> Order:
        value = self.expression()
        descending = self.take("desc") or (self.take("asc") and False)
        nulls_first = descending
        if self.take("nulls"):
            nulls_first = self.name() == "first"
        return Order(value, descending, nulls_first)

    def _infix(self, left: Node, op: str, binding: int) -> Node:
        if op == "::":
            return Cast(left, self.type_name())
        if op == "[":
            place = self.expression()
            self.demand("]")
            return Index(left, place)
        if op == "is":
            return self._is(left)
        if op == "not":
            return Unary("not", self._infix(left, self.step().text, binding))
        if op == "in":
            return self._in(left)
        if op == "between":
            low = self.expression(6)
            self.demand("and")
            return Op("and", Op(">=", left, low), Op("<=", left, self.expression(6)))
        if op in _COMPARISONS and (self.at("any") or self.at("all")):
            every = self.step().text == "all"
            self.demand("(")
            right = self.select() if self.at("select") else self.expression()
            self.demand(")")
            return Quantified("<>" if op == "!=" else op, left, right, every)
        return Op("<>" if op == "!=" else op, left, self.expression(binding))

    def _is(self, left: Node) -> Node:
        negated = self.take("not")
        if self.take("distinct", "from"):
            found: Node = Op("is distinct", left, self.expression(5))
        else:
            word = self.step().text
            if word not in ("null", "true", "false"):
                raise self.lost(f"IS {word}")
            found = Unary(f"is {word}", left)
        return Unary("not", found) if negated else found

    def _in(self, left: Node) -> Node:
        self.demand("(")
        found: Node
        if self.at("select"):
            found = Quantified("=", left, self.select(), every=False)
        else:
            found = OneOf(left, self.expressions())
        self.demand(")")
        return found

    def _prefix(self) -> Node:
        token = self.step()
        if token.kind == "string":
            return Const(token.text)
        if token.kind == "number":
            return Const(float(token.text) if "." in token.text else int(token.text))
        if token.kind == "param":
            return Param(int(token.text[1:]) - 1)
        if token.kind == "op":
            return self._prefix_op(token.text)
        if token.kind == "word" and (special := self._special(token.text)) is not None:
            return special
        if token.kind in ("word", "name") and token.text not in _NO_COLUMNS:
            return self._column_or_call(token.text)
        self._place -= 1
        raise self.lost("an expression expected")

    def _prefix_op(self, op: str) -> Node:
        if op == "*":
            return Star("")
        if op == "-":
            return Unary("-", self.expression(10))
        if op != "(":
            raise self.lost(f"{op!r} where an expression was expected")
        if self.at("select"):
            found: Node = self.select()
        else:
            items = self.expressions()
            found = items[0] if len(items) == 1 else Tuple(items)
        self.demand(")")
        return found

    def _special(self, word: str) -> Node | None:
        if word in ("null", "true", "false"):
            return Const({"null": None, "true": True, "false": False}[word])
        if word == "not":
            return Unary("not", self.expression(3))
        if word == "case":
            return self._case()
        if word in ("interval", "timestamptz") and self.token.kind == "string":
            return Cast(Const(self.step().text), word)
        if word == "exists" and self.take("("):
            found: Node = Exists(self.select())
            self.demand(")")
            return found
        if word == "array" and self.take("("):
            found = ArrayOf(self.select())
            self.demand(")")
            return found
        if word == "array" and self.take("["):
            items = () if self.at("]") else self.expressions()
            self.demand("]")
            return ArrayOf(None, items)
        if word == "extract" and self.take("("):
            part = self.name()
            self.demand("from")
            found = Extract(part, self.expression())
            self.demand(")")
            return found
        return None

    def _case(self) -> Node:
        operand = None if self.at("when") else self.expression()
        whens: list[tuple[Node, Node]] = []
        while self.take("when"):
            condition = self.expression()
            self.demand("then")
            whens.append((condition, self.expression()))
        default = self.expression() if self.take("else") else Const(None)
        self.demand("end")
        return Case(operand, tuple(whens), default)

    def _column_or_call(self, word: str) -> Node:
        if self.take("."):
            return Star(word) if self.take("*") else Col(word, self.name())
        if not self.take("("):
            return Col("", word)
        return self.call(word)

    def call(self, name: str) -> Call:
        """After the opening parenthesis."""
        star = self.take("*")
        distinct = self.take("distinct")
        args = () if star or self.at(")") else self.expressions()
        order = self.orders() if self.take("order", "by") else ()
        self.demand(")")
        only = None
        if self.take("filter", "("):
            self.demand("where")
            only = self.expression()
            self.demand(")")
        return Call(name, args, star, distinct, order, only)
