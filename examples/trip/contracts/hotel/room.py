"""Rooms of a hotel. Owner: hotel. Key: hotel_id."""

from uuid import UUID

from contracts.base import Command, Event, Rejection

KEY = "hotel_id"


class RoomBooked(Event):
    """A room is paid for; there is no way back."""

    hotel_id: UUID
    room_id: UUID


class HotelFull(Rejection):
    """No room is left."""


class BookRoom(Command[RoomBooked]):
    """Book and pay a room."""

    hotel_id: UUID
    room_id: UUID
