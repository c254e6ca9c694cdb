"""A batch: cases that kill different processes run side by side, each in a workspace of its own."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

import asyncpg

from tests.chaos.cases import ORCHESTRATOR, Case
from tests.chaos.drivers import DRIVERS, Site, Sites
from tests.chaos.platform import ChaosPlatform

ENDED_S = 90.0
POLL_S = 0.15
CASES_MAX = 5
TERMINAL = ("COMPLETED", "COMPENSATED", "ABANDONED")


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
        pairs = zip(cases, lent, strict=True)
        return list(await asyncio.gather(*(_judged(platform, c, site) for c, site in pairs)))
    finally:
        sites.free += lent
        await platform.disarm({service for case in cases for service in case.services})


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
        run.rules.append(await platform.arm(arm, workspace_id))
    for _ in range(2 if case.crowd else 1):
        undo = case.undo if case.undo == "stale" else ""
        run.saga_ids.append(await driver.start(run.site, undo))
    statuses = await _ended(platform, run.saga_ids)
    fired = platform.fired()
    silent = [
        arm.place
        for arm, rule_id in zip((*case.helpers, *case.kills), run.rules, strict=True)
        if rule_id not in fired
    ]
    if any(status not in TERMINAL for status in statuses):
        return "stuck", f"after {ENDED_S:.0f} s: {', '.join(statuses)}; not fired: {silent}"
    if statuses[0] != case.status:  # one of a crowd comes too late with what it believes
        return "wrong", f"wanted {case.status}, got {', '.join(statuses)}; not fired: {silent}"
    return ("not fired", ", ".join(silent)) if silent else ("ok", "")


async def _ended(platform: ChaosPlatform, saga_ids: Sequence[UUID]) -> list[str]:
    """Their statuses, once they have ended or the time is up. Asked of the table, not of a service:
    it answers while the orchestrator is dead."""
    found = ["?"] * len(saga_ids)
    try:
        async with asyncio.timeout(ENDED_S):
            while True:
                found = await _statuses(platform, saga_ids)
                if all(status in TERMINAL for status in found):
                    return found
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        return found


async def _statuses(platform: ChaosPlatform, saga_ids: Sequence[UUID]) -> list[str]:
    url = platform.database_url(ORCHESTRATOR)
    sql = "SELECT id, status FROM saga_instance WHERE id = ANY($1::uuid[])"
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return ["?"] * len(saga_ids)
    try:
        rows = {row["id"]: row["status"] for row in await connection.fetch(sql, list(saga_ids))}
    finally:
        await connection.close(timeout=5)
    return [rows.get(saga_id, "?") for saga_id in saga_ids]
