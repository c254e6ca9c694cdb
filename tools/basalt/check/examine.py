"""A check from beginning to end: gather, judge, and, while the platform runs, look again."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from tools.basalt.check.evidence import Evidence
from tools.basalt.check.gather_bodies import gather_blobs, gather_contents, gather_feed
from tools.basalt.check.gather_postgres import Database, gather_service
from tools.basalt.check.gather_topics import gather_offsets, gather_topics
from tools.basalt.check.invariants import INVARIANTS
from tools.basalt.check.layout import SERVICES
from tools.basalt.check.outcome import Invariant, Outcome
from tools.basalt.check.report import Line, Report
from tools.basalt.check.settings import CannotCheck, Limits, Places

Tell = Callable[[str], None]
Missing = dict[str, str]  # what could not be looked at, and why


async def examine(places: Places, limits: Limits, tell: Tell = lambda _: None) -> Report:
    """Check what `limits.only` names, or everything. Raises CannotCheck only when it takes too
    long; what is unreachable is in the report."""
    begun = time.monotonic()
    wanted = [each for each in INVARIANTS.values() if _is_wanted(each, limits)]
    try:
        async with asyncio.timeout(limits.timeout_s):
            with Evidence() as evidence:
                lines, looks = await _look(evidence, places, wanted, limits, tell)
                cut = sorted(set(evidence.notes("cut")))
    except TimeoutError:
        raise CannotCheck(
            f"it took more than {limits.timeout_s:.0f} s: raise --timeout, or name invariants"
            " with --only"
        ) from None
    finally:
        tell("")
    return Report(limits.at_rest, time.monotonic() - begun, looks, lines, cut)


def _is_wanted(each: Invariant, limits: Limits) -> bool:
    if each.at_rest_only and not limits.at_rest:
        return False
    return not limits.only or each.name in limits.only


async def _look(
    evidence: Evidence, places: Places, wanted: list[Invariant], limits: Limits, tell: Tell
) -> tuple[list[Line], int]:
    """One look at rest; otherwise a second one at what was suspicious, after a while: only what
    is seen both times is a fault, the rest was work under way."""
    lines = await _once(evidence, places, wanted, limits, tell)
    doubtful = [
        each for each, line in zip(wanted, lines, strict=True) if line.verdict == "violated"
    ]
    if limits.at_rest or not doubtful:
        return lines, 1
    tell(f"looking again in {limits.grace_s:.0f} s at {len(doubtful)}")
    await asyncio.sleep(limits.grace_s)
    evidence.forget()
    again = {line.name: line for line in await _once(evidence, places, doubtful, limits, tell)}
    return [_both(line, again.get(line.name)) for line in lines], 2


def _both(first: Line, second: Line | None) -> Line:
    if second is None or first.outcome is None:
        return first
    if second.outcome is None:
        return second
    keys = {finding.key for finding in first.outcome.findings}
    seen_twice = [finding for finding in second.outcome.findings if finding.key in keys]
    return replace(second, outcome=replace(second.outcome, findings=seen_twice))


async def _once(
    evidence: Evidence, places: Places, wanted: list[Invariant], limits: Limits, tell: Tell
) -> list[Line]:
    needs = {need for each in wanted for need in each.needs}
    missing = await gather(evidence, places, needs, limits, tell)
    lines = []
    for each in wanted:
        lacking = [missing[need] for need in sorted(each.needs) if need in missing]
        if lacking:
            lines.append(Line(each.name, each.meaning, None, lacking[0]))
            continue
        tell(f"judging {each.name}")
        outcome: Outcome = await asyncio.to_thread(each.check, evidence, limits)
        lines.append(Line(each.name, each.meaning, outcome))
    return lines


async def gather(
    evidence: Evidence, places: Places, needs: set[str], limits: Limits, tell: Tell
) -> Missing:
    """Everything that is needed, in the order in which nothing under way looks like a loss: what
    groups have committed, then the tables, then the topics, then what is made of them."""
    missing: Missing = {}

    async def attempt(need: str, given: str, variable: str, step: Callable[[], object]) -> None:
        if need not in needs or need in missing:
            return
        if not given:
            missing[need] = f"{variable} is not set: say where {need} is"
            return
        try:
            await step()  # type: ignore[misc]  # each step is a coroutine function
        except CannotCheck as why:
            missing[need] = str(why)

    kafka, mongo = places.kafka, places.mongo
    await attempt("kafka", kafka, "KAFKA_BOOTSTRAP", lambda: gather_offsets(evidence, kafka))
    for service in SERVICES:
        url = places.databases.get(service, "")
        database = Database(service, url)
        await attempt(
            service,
            url,
            "POSTGRES_URL",
            lambda database=database: gather_service(evidence, database, limits, tell),  # type: ignore[misc]
        )
    await attempt(
        "kafka", kafka, "KAFKA_BOOTSTRAP", lambda: gather_topics(evidence, kafka, limits, tell)
    )
    await attempt("mongo", mongo, "MONGO_URL", lambda: gather_feed(evidence, mongo, limits, tell))
    await attempt(
        "mongo", mongo, "MONGO_URL", lambda: gather_contents(evidence, mongo, limits, tell)
    )
    blobs = places.blobs
    await attempt("blobs", blobs, "BLOB_DIR", lambda: gather_blobs(evidence, blobs, limits, tell))
    return missing
