"""References: which entities an app's code refers to, by parsing it. A pure library.

segments("a {{ b }}")                       # where the code stands
names_in("Table1.selectedRow.id", Goal.DATA)  # the names that it takes from outside
for entity, bindings in bindings_in(section): ...
"""

from services.studio.references.bindings import (
    TEXT,
    Binding,
    Expression,
    bindings_in,
)
from services.studio.references.graph import Dangling, PageGraph, Reference
from services.studio.references.javascript import (
    CODE_BYTES_MAX,
    Doubt,
    Goal,
    Name,
    Names,
    names_in,
)
from services.studio.references.moustache import Segment, is_bound, segments
from services.studio.references.order import Knot, Order, Value, order_of
from services.studio.references.readings import (
    How,
    Reading,
    Unclear,
    Use,
    reading_of,
    readings_in,
    restored,
    stored,
)

__all__ = [
    "CODE_BYTES_MAX",
    "TEXT",
    "Binding",
    "Dangling",
    "Doubt",
    "Expression",
    "Goal",
    "How",
    "Knot",
    "Name",
    "Names",
    "Order",
    "PageGraph",
    "Reading",
    "Reference",
    "Segment",
    "Unclear",
    "Use",
    "Value",
    "bindings_in",
    "is_bound",
    "names_in",
    "order_of",
    "reading_of",
    "readings_in",
    "restored",
    "segments",
    "stored",
]
