"""Seats of a flight. Owner: airline. Key: flight_id."""

from uuid import UUID

from contracts.base import Command, Event, Rejection

KEY = "flight_id"


class SeatHeld(Event):
    """A seat is kept for a trip."""

    flight_id: UUID
    seat_id: UUID


class SeatReleased(Event):
    """The seat is free again."""

    flight_id: UUID
    seat_id: UUID


class SeatTicketed(Event):
    """The seat has its ticket."""

    flight_id: UUID
    seat_id: UUID


class FlightFull(Rejection):
    """No seat is left."""


class HoldSeat(Command[SeatHeld]):
    """Keep a seat."""

    flight_id: UUID
    seat_id: UUID


class ReleaseSeat(Command[SeatReleased]):
    """Give it back."""

    flight_id: UUID
    seat_id: UUID


class TicketSeat(Command[SeatTicketed]):
    """Write the ticket."""

    flight_id: UUID
    seat_id: UUID
