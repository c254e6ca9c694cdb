"""Recent: the states that this process wrote last, so that the next reply needs no read.

Never trusted: a state that somebody else has moved meanwhile fails its compare-and-set, is
forgotten, and is read again.
"""

from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

from chassis.saga.state import SagaState

STATES_MAX = 8_192


class Recent:
    """The latest states of open sagas, the least recently written first to go."""

    def __init__(self, most: int = STATES_MAX) -> None:
        self._most = most
        self._states: OrderedDict[UUID, SagaState] = OrderedDict()

    def of(self, saga_ids: Iterable[UUID]) -> dict[UUID, SagaState]:
        """Those that are known."""
        states = self._states
        return {saga_id: states[saga_id] for saga_id in saga_ids if saga_id in states}

    def keep(self, written: Iterable[SagaState]) -> None:
        """These were written just now; what has ended is not needed any more."""
        for state in written:
            if state.ended:
                self._states.pop(state.id, None)
            else:
                self._states[state.id] = state
                self._states.move_to_end(state.id)
        while len(self._states) > self._most:
            self._states.popitem(last=False)

    def forget(self, saga_ids: Iterable[UUID]) -> None:
        """These may have moved."""
        for saga_id in saga_ids:
            self._states.pop(saga_id, None)
