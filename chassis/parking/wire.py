"""How a service that consumes answers for its dead letters."""

from uuid import UUID

from chassis.context import Context
from chassis.doors.http import Answer, Execute
from chassis.parking.desk import LetterDesk
from chassis.wiring import Wiring
from contracts.base import Command, Message, Query
from contracts.deadletter import (
    DiscardDeadLetters,
    GetDeadLetter,
    ListDeadLetters,
    RedriveDeadLetters,
)


def wire_letters(wiring: Wiring) -> None:
    """Called by the chassis for every service with an inbox."""
    keep_s = wiring.settings.inbox_keep_days * 86_400.0
    desk = LetterDesk(wiring.resources.database, wiring.service, keep_s)
    wiring.take_query(ListDeadLetters, _asking(desk))
    wiring.take_query(GetDeadLetter, _asking(desk))
    wiring.take_command(RedriveDeadLetters, _moving(desk))
    wiring.take_command(DiscardDeadLetters, _moving(desk))


def _asking(desk: LetterDesk) -> Answer:
    async def answer(query: Query[Message], _context: Context) -> Message:
        if isinstance(query, GetDeadLetter):
            return await desk.details(query)
        assert isinstance(query, ListDeadLetters), "the door knows what it takes"
        return await desk.page(query)

    return answer


def _moving(desk: LetterDesk) -> Execute:
    """The verbs need no inbox: they are compare-and-set, and safe to repeat."""

    async def execute(
        command: Command[Message],
        context: Context,
        command_id: UUID,
        *,
        traceparent: str = "",
        deadline_ms: int | None = None,
    ) -> Message:
        if isinstance(command, RedriveDeadLetters):
            return await desk.redrive(command, context)
        assert isinstance(command, DiscardDeadLetters), "the door knows what it takes"
        return await desk.discard(command, context)

    return execute
