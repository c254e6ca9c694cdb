"""ChunkStore: what a store does to take part in a chunk of messages handled as one transaction."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from chassis.messaging.outbox import Outbox
    from chassis.resources import Resources
    from chassis.stores.statement import Reading, Statement


class ChunkStore:
    """Built for each chunk; lives until its flush. Handlers see one message, the store sees all.

    Order of calls: `reads` and `preload` once; then, for each message, `snapshot`, the handler
    and, when it was refused, `restore`; at the end, once, `before_flush`, `flush`, `send` and
    `committed`.
    """

    announces: ClassVar[str] = ""
    """The contracts aggregate whose events this store's rows number; "" for none."""

    key_field: ClassVar[str] = ""
    """The message field whose values are preloaded; "" is the contract's key."""

    def __init__(self, resources: "Resources") -> None:
        self.resources = resources

    def reads(self, reading: "Reading", keys: Sequence[str]) -> None:
        """Add to the one query that the chunk begins with."""

    async def preload(self, keys: Sequence[str]) -> None:
        """Load the rows of these keys with a query of one's own."""

    def snapshot(self) -> object:
        """A message begins: what `restore` needs to undo it."""
        return None

    def restore(self, snapshot: object) -> None:
        """The message was refused: forget what it did since `snapshot`."""

    def announce(self, key: str) -> int | None:
        """Number one public event of the aggregate `key`, or None if this message did not save
        it: then the event is an answer only."""
        return None

    async def before_flush(self) -> None:
        """Write immutable bodies (MongoDB, blobs). May be repeated: must be idempotent."""

    def flush(self, statement: "Statement") -> None:
        """Add this chunk's changes to its one statement."""

    def send(self, outbox: "Outbox") -> None:
        """Add messages of the store's own making (the commands of a saga), after `flush`."""

    def committed(self) -> None:
        """All of it is durable: what is to be counted is counted now."""


class FlushFirst(Exception):
    """A read through to the database must see what earlier messages of this chunk changed: the
    chunk is flushed up to here and goes on from this message."""
