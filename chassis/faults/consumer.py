"""The fault points around a consumer's handler: records in hand, and offsets not committed yet."""

from collections.abc import Sequence

from chassis.faults import FAULTS
from chassis.messaging.envelope import Record
from chassis.messaging.runner import ChunkHandler


def pointed(handler: ChunkHandler) -> ChunkHandler:
    """The same handler, with a point before it and one after it."""

    async def handle(records: Sequence[Record]) -> None:
        if FAULTS.armed:
            await FAULTS.at("consumer.before_handle", records)
        await handler(records)
        if FAULTS.armed:
            await FAULTS.at("consumer.after_commit_before_ack", records)

    return handle
