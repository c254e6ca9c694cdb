"""What the parser makes of a text: expressions, queries and changes, as plain values."""

from dataclasses import dataclass, field

Node = object
"""Any expression below."""


@dataclass(frozen=True, slots=True)
class Const:
    value: object


@dataclass(frozen=True, slots=True)
class Param:
    """`$1` is 0."""

    index: int


@dataclass(frozen=True, slots=True)
class Col:
    table: str
    name: str


@dataclass(frozen=True, slots=True)
class Star:
    table: str


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    args: tuple[Node, ...]
    star: bool = False
    distinct: bool = False
    order: tuple["Order", ...] = ()
    only: Node | None = None  # FILTER (WHERE ...)


@dataclass(frozen=True, slots=True)
class Op:
    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Unary:
    op: str
    value: Node


@dataclass(frozen=True, slots=True)
class Cast:
    value: Node
    type: str


@dataclass(frozen=True, slots=True)
class Case:
    operand: Node | None
    whens: tuple[tuple[Node, Node], ...]
    default: Node


@dataclass(frozen=True, slots=True)
class Quantified:
    """`left op ANY (right)`; right is an array, or a Select."""

    op: str
    left: Node
    right: Node
    every: bool


@dataclass(frozen=True, slots=True)
class OneOf:
    """`left IN (...)`."""

    left: Node
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Exists:
    select: "Select"


@dataclass(frozen=True, slots=True)
class ArrayOf:
    """`ARRAY(SELECT ...)` or `ARRAY[...]`."""

    select: "Select | None"
    items: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Index:
    value: Node
    place: Node


@dataclass(frozen=True, slots=True)
class Extract:
    part: str
    value: Node


@dataclass(frozen=True, slots=True)
class Tuple:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Order:
    value: Node
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class Source:
    """Something after FROM: a table by `name`, a `call` or a `select`."""

    alias: str
    name: str = ""
    call: Call | None = None
    select: "Select | None" = None
    columns: tuple[str, ...] = ()
    ordinality: bool = False
    left: bool = False
    on: Node | None = None


@dataclass(frozen=True, slots=True)
class Select:
    outputs: tuple[tuple[Node, str], ...]
    sources: tuple[Source, ...] = ()
    where: Node | None = None
    group: tuple[Node, ...] | None = None
    order: tuple[Order, ...] = ()
    limit: Node | None = None
    offset: Node | None = None
    distinct: bool = False
    distinct_on: tuple[Node, ...] = ()
    unions: tuple["Select", ...] = ()  # UNION ALL
    recursive: bool = False  # a CTE whose `unions` read what it has given so far
    ctes: tuple[tuple[str, "Query"], ...] = ()


@dataclass(frozen=True, slots=True)
class Conflicting:
    """ON CONFLICT: on `columns` (() is any), DO NOTHING or `sets` where `where` holds."""

    columns: tuple[str, ...]
    sets: tuple[tuple[str, Node], ...] | None
    where: Node | None = None


@dataclass(frozen=True, slots=True)
class Insert:
    table: str
    alias: str
    columns: tuple[str, ...]
    select: Select | None  # None: VALUES
    values: tuple[tuple[Node, ...], ...] = ()
    conflict: Conflicting | None = None
    returning: tuple[tuple[Node, str], ...] = ()
    ctes: tuple[tuple[str, "Query"], ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    table: str
    alias: str
    sets: tuple[tuple[str, Node], ...]
    sources: tuple[Source, ...] = ()
    where: Node | None = None
    returning: tuple[tuple[Node, str], ...] = ()
    ctes: tuple[tuple[str, "Query"], ...] = ()


@dataclass(frozen=True, slots=True)
class Delete:
    table: str
    alias: str
    sources: tuple[Source, ...] = ()
    where: Node | None = None
    returning: tuple[tuple[Node, str], ...] = ()
    ctes: tuple[tuple[str, "Query"], ...] = ()


@dataclass(frozen=True, slots=True)
class When:
    """A branch of MERGE. `sets` None: DELETE, or INSERT of `values` when not matched."""

    matched: bool
    condition: Node | None
    sets: tuple[tuple[str, Node], ...] | None = None
    columns: tuple[str, ...] = ()
    values: tuple[Node, ...] = ()
    nothing: bool = False


@dataclass(frozen=True, slots=True)
class Merge:
    table: str
    alias: str
    source: Source
    on: Node
    whens: tuple[When, ...]
    returning: tuple[tuple[Node, str], ...] = ()
    ctes: tuple[tuple[str, "Query"], ...] = ()


Query = Select | Insert | Update | Delete | Merge


@dataclass(slots=True)
class Unique:
    """A unique key. `where` makes it partial."""

    name: str
    columns: tuple[str, ...]
    where: Node | None = None


@dataclass(slots=True)
class Column:
    name: str
    type: str
    required: bool = False
    default: Node | None = None
    serial: bool = False
    generated: Node | None = None  # GENERATED ALWAYS AS (...) STORED


@dataclass(slots=True)
class TableDefinition:
    """What CREATE TABLE says. The first of `uniques` may be the primary key."""

    name: str
    columns: dict[str, Column] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    uniques: list[Unique] = field(default_factory=list)
    checks: list[tuple[str, Node]] = field(default_factory=list)
