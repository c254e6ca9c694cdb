"""How an entity differs between two revisions: its JSON by path, its text by lines."""

from contracts.base import Reply


class PropertyDifference(Reply):
    """A value of an entity's JSON that another revision has otherwise.

    `path`: keys and indices that lead to it, as `primaryColumns.status.computedValue`, `tabs[2]`
    or `headers["x.y"]`; empty for the whole. `change`: added, removed or changed. Both values are
    JSON texts, so that 1 and 1.0 stay apart; null where there is no such side. `cut`: a value is
    longer than what is shown of it.
    """

    path: str
    change: str
    before: str | None = None
    after: str | None = None
    cut: bool = False


class LineDifference(Reply):
    """Lines of a text that another revision has otherwise.

    `before` begins at `line_before` of the older text, counted from 1, and `after` at
    `line_after` of the newer; either may be empty.
    """

    line_before: int
    line_after: int
    before: str = ""
    after: str = ""
    cut: bool = False
