"""States that need no reading, and are never trusted."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from chassis.clock import new_id
from chassis.errors import Conflict
from chassis.saga.recent import Recent
from chassis.saga.state import Status
from contracts.studio.app import FreezeRevision
from tests.chassis.saga.stand import Stand, a_stand, answer_to, contracts_of


@pytest.fixture
async def stand(fresh_database: str) -> AsyncIterator[Stand]:
    async with a_stand(fresh_database) as stand:
        yield stand


class TestEngine:
    async def test_a_saga_that_another_replica_moved_is_read_again(self, stand: Stand) -> None:
        await stand.publish()
        (sent,) = await stand.take_commands()
        await stand.another_engine().answer([answer_to(sent, {})])
        (second,) = await stand.take_commands()

        with pytest.raises(Conflict):
            await stand.engine.answer([answer_to(second, {})])
        await stand.engine.answer([answer_to(second, {})])

        assert second.contract is FreezeRevision
        assert {state.cursor for state in (await stand.states()).values()} == {2}

    async def test_a_message_that_comes_again_is_looked_up_in_the_end(self, stand: Stand) -> None:
        await stand.publish()
        (sent,) = await stand.take_commands()
        answer = answer_to(sent, {})
        await stand.engine.answer([answer])

        with pytest.raises(Conflict):
            await stand.engine.answer([answer])
        await stand.engine.answer([answer])

        assert contracts_of(await stand.take_commands()) == [FreezeRevision]
        assert {state.version for state in (await stand.states()).values()} == {2}


class TestRecent:
    async def test_is_bounded(self, stand: Stand) -> None:
        recent, states = Recent(most=2), await stand.publish(count=3)

        recent.keep(states)

        assert list(recent.of(state.id for state in states)) == [states[1].id, states[2].id]

    async def test_forgets_what_has_ended(self, stand: Stand) -> None:
        recent, (state,) = Recent(), await stand.publish()
        recent.keep([state])

        recent.keep([replace(state, status=Status.COMPLETED, wake_at=None)])

        assert recent.of([state.id, new_id()]) == {}
