"""A batch: cases that kill different processes run side by side, each in a workspace of its own."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from tests.chaos.cases import ORCHESTRATOR, Case
from tests.chaos.drivers import DRIVERS, Site, Sites
from tests.chaos.ends import ENDED_S, TERMINAL, statuses_at_the_end
from tests.chaos.operators import answered
from tests.chaos.platform import ChaosPlatform

CASES_MAX = 5
FIRED_TRIES = 50
FIRED_PAUSE_S = 0.1


@dataclass(frozen=True)
class Result:
    """What came of a case. `fate`: ok, stuck, wrong, not fired, broken; `said`: why, if not ok."""

    name: str
    fate: str
    seconds: float
    said: str = ""
    saga_id: str = ""


@dataclass
class _Run:
    """A case under way."""

    case: Case
    site: Site
    rules: list[UUID]
    saga_ids: list[UUID]


def batches(cases: Sequence[Case]) -> list[list[Case]]:
    """In the order given, each filled up with later cases that kill other processes. Sagas that
    rules can't tell apart by their workspace (onboarding) go one at a time."""
    left = list(cases)
    found: list[list[Case]] = []
    while left:
        first = next((case for case in left if ORCHESTRATOR in case.services), left[0])
        batch: list[Case] = []
        for case in [first, *(each for each in left if each is not first)]:
            taken = frozenset[str]().union(*(each.services for each in batch))
            alike = any(each.saga == case.saga for each in batch)
            if case.services & taken or (alike and not DRIVERS[case.saga].in_workspace):
                continue
            batch.append(case)
            if len(batch) == CASES_MAX:
                break
        left = [case for case in left if case not in batch]
        found.append(batch)
    return found


async def run_batch(platform: ChaosPlatform, sites: Sites, cases: Sequence[Case]) -> list[Result]:
    """Arm, start, wait for the ends, look whether every kill was one. Never raises for a case."""
    await platform.await_ready()
    lent = [sites.free.pop() for _ in cases]
    try:
        ready = await asyncio.gather(*(_prepared(c, s) for c, s in zip(cases, lent, strict=True)))
        pairs = zip(cases, ready, strict=True)
        return list(await asyncio.gather(*(_judged(platform, c, site) for c, site in pairs)))
    finally:
        sites.free += lent
        await platform.disarm({service for case in cases for service in case.services})


async def _prepared(case: Case, site: Site) -> Site:
    """Before any rule of the batch is armed: it is not to meet what is prepared."""
    prepare = DRIVERS[case.saga].prepare
    return await prepare(site) if prepare else site


async def _judged(platform: ChaosPlatform, case: Case, site: Site) -> Result:
    began = monotonic()
    run = _Run(case, site, [], [])
    try:
        fate, said = await _run(platform, run)
    except Exception as error:  # one case is not to end the sweep
        fate, said = "broken", f"{type(error).__name__}: {error}"[:500]
    saga_id = str(run.saga_ids[0]) if run.saga_ids else ""
    return Result(case.name, fate, monotonic() - began, said, saga_id)


async def _run(platform: ChaosPlatform, run: _Run) -> tuple[str, str]:
    case, driver = run.case, DRIVERS[run.case.saga]
    workspace_id = run.site.workspace_id if driver.in_workspace else None
    for arm in (*case.helpers, *case.kills):
        run.rules.append(await platform.arm(arm, None if arm.anywhere else workspace_id))
    for _ in range(2 if case.crowd else 1):
        undo = case.undo if case.undo == "stale" else ""
        start = driver.protected if case.approval and driver.protected else driver.start
        run.saga_ids.append(await start(run.site, undo))
    if case.approval:
        await answered(platform, run.saga_ids[0], approved=case.approval == "yes")
    statuses = await statuses_at_the_end(platform, run.saga_ids)
    silent = await _silent(platform, run)
    if any(status not in TERMINAL for status in statuses):
        return "stuck", f"after {ENDED_S:.0f} s: {', '.join(statuses)}; not fired: {silent}"
    if statuses[0] != case.status:  # one of a crowd comes too late with what it believes
        return "wrong", f"wanted {case.status}, got {', '.join(statuses)}; not fired: {silent}"
    return ("not fired", ", ".join(silent)) if silent else ("ok", "")


async def _silent(platform: ChaosPlatform, run: _Run) -> list[str]:
    """The faults that did not fire. A saga has ended before its last facts have left."""
    arms = (*run.case.helpers, *run.case.kills)
    silent: list[str] = []
    for _ in range(FIRED_TRIES):
        fired = platform.fired()
        known = zip(arms, run.rules, strict=True)
        silent = [arm.place for arm, rule_id in known if rule_id not in fired]
        if not silent:
            break
        await asyncio.sleep(FIRED_PAUSE_S)
    return silent
