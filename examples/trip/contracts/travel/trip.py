"""Trips. Owner: travel. Key: trip_id."""

from uuid import UUID

from contracts.base import Command, Reply

KEY = "trip_id"


class TripAsked(Reply):
    """The trip is being booked."""

    trip_id: UUID


class BookTrip(Command[TripAsked]):
    """A flight and a hotel, or neither."""

    trip_id: UUID
    flight_id: UUID
    hotel_id: UUID
