"""Operators who err: every verb twice at once, on what is finished and on what is under way.

Over the orchestrator's own door, as `./basalt saga` and GraphQL do. A verb may be refused or lose
a race; it may not change what has ended, nor leave behind what does not end.
"""

import asyncio
from collections.abc import Mapping
from random import Random
from uuid import UUID

from tests.chaos.drivers import Sites
from tests.chaos.ends import TERMINAL, statuses_at_the_end
from tests.chaos.platform import ChaosPlatform

VERBS: Mapping[str, Mapping[str, object]] = {
    "RetrySaga": {},
    "PauseSaga": {},
    "ResumeSaga": {},
    "SkipStep": {"step": "ReserveQuota", "reason": "a slip of the hand"},
    "CompensateSaga": {"reason": "a slip of the hand"},
    "SignalSaga": {"approved": True},
    "AbandonSaga": {"reason": "a slip of the hand"},
}
"""What an operator can do to one saga."""

HARMLESS = ("RetrySaga", "PauseSaga", "ResumeSaga", "CompensateSaga", "SignalSaga")
"""What may be done to a saga under way without work by hand afterwards."""

SLIPS = 40
ANSWERED = (200, 409, 422)


async def slips(platform: ChaosPlatform, sites: Sites, saga_ids: list[UUID]) -> None:
    """Random verbs on running sagas, two hands at once, while the orchestrator dies; then all are
    resumed, wait for their ends, and hear every verb again."""
    random = Random(str(saga_ids[0]))
    for number in range(SLIPS):
        if number == SLIPS // 2:
            await asyncio.to_thread(platform.kill9, "orchestrator")
        saga_id, verb = random.choice(saga_ids), random.choice(HARMLESS)
        await asyncio.gather(*(_say(platform, verb, saga_id) for _ in range(2)))
    await asyncio.gather(*(_say(platform, "ResumeSaga", each) for each in saga_ids))
    before = await statuses_at_the_end(platform, saga_ids)
    assert set(before) <= set(TERMINAL), f"not all have ended: {before}"
    for verb in VERBS:
        said = [_say(platform, verb, each) for each in saga_ids for _ in range(2)]
        assert 200 not in await asyncio.gather(*said), f"{verb} on what has ended"
    assert await statuses_at_the_end(platform, saga_ids) == before


async def answered(platform: ChaosPlatform, saga_id: UUID, *, approved: bool) -> None:
    """The saga waits for approval, and gets its answer."""
    waiting = await statuses_at_the_end(platform, [saga_id], wanted=("WAITING_SIGNAL",))
    assert waiting == ["WAITING_SIGNAL"], f"it does not wait for approval: {waiting}"
    status = await _say(platform, "SignalSaga", saga_id, approved=approved)
    assert status == 200, f"the approval was answered with {status}"


async def _say(platform: ChaosPlatform, verb: str, saga_id: UUID, **given: object) -> int:
    """The status of the answer."""
    body = {"saga_id": str(saga_id), **VERBS[verb], **given}
    response = await platform.order("orchestrator", verb, body)
    assert response.status_code in ANSWERED, f"{verb}: {response.status_code} {response.text}"
    return response.status_code
