"""Book a trip: hold a seat, book the room, write the ticket.

Before the room is paid a failure gives the seat back; after it we only go forward.
"""

from datetime import timedelta

from chassis.saga import QUICK, Saga, compensatable, pivot, retriable
from examples.trip.contracts.airline.seat import HoldSeat, ReleaseSeat, TicketSeat
from examples.trip.contracts.hotel.room import BookRoom
from examples.trip.contracts.travel.trip import BookTrip

book_trip = Saga(
    name="book_trip",
    version=1,
    starts_on=BookTrip,
    mints=("seat_id", "room_id"),
    lock="trip_id",
    deadline=timedelta(minutes=10),
    steps=(
        compensatable(HoldSeat, compensation=ReleaseSeat, retry=QUICK),
        pivot(BookRoom, retry=QUICK),
        retriable(TicketSeat),
    ),
)
