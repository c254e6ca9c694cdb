"""The whole test that a saga needs to go through the simulator."""

from random import Random
from uuid import UUID

from chassis.testing.simulation.plugin import Simulation
from examples.trip.contracts.travel.trip import BookTrip
from examples.trip.saga import book_trip

FLIGHTS = 3


def a_trip(dice: Random) -> BookTrip:
    """Few flights and many trips, so that trips meet on them."""
    return BookTrip(
        trip_id=UUID(int=dice.getrandbits(120)),
        flight_id=UUID(int=1 + int(dice.random() * FLIGHTS)),
        hotel_id=UUID(int=100 + int(dice.random() * FLIGHTS)),
    )


def test_a_trip_is_booked_whole_or_not_at_all(simulate_sagas: Simulation) -> None:
    totals = simulate_sagas(book_trip, started=a_trip)

    assert totals.sagas["COMPLETED"] > 0
