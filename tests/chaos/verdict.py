"""The verdict: what an observer, who trusts no service, finds in stores and topics."""

import asyncio
import json
import os
import sys
from typing import Any, Protocol

from infra.local.places import ROOT
from infra.local.stack import DATABASE_PREFIX
from tests.chaos.platform import ChaosPlatform
from tests.flows.soundness import assert_sound, await_rest

CHECK = (sys.executable, "-m", "tools.basalt", "check", "--at-rest", "--json", "--quiet")
CHECK_S = 300.0
SETTLE_S = 30.0
PAUSE_S = 1.0
FINDINGS_MAX = 5


class Judge(Protocol):
    """Says what is wrong once everything is at rest; empty when nothing is."""

    async def __call__(self, platform: ChaosPlatform) -> list[str]: ...


async def judged(platform: ChaosPlatform) -> list[str]:
    """`./basalt check --at-rest`, and the flow tests' own checks. What is found has to stay for
    a while: the last offsets and the feed come to rest after the outboxes."""
    try:
        await await_rest(platform)  # type: ignore[arg-type]  # it asks for the same addresses
    except AssertionError as error:
        return [str(error)]
    found = ["not checked"]
    deadline = asyncio.get_running_loop().time() + SETTLE_S
    while found and asyncio.get_running_loop().time() < deadline:
        if found := await check(platform):
            await asyncio.sleep(PAUSE_S)
    try:
        await assert_sound(platform)  # type: ignore[arg-type]
    except AssertionError as error:
        found.append(str(error)[:2000])
    return found


async def check(platform: ChaosPlatform) -> list[str]:
    """One run of the checker, a process of its own: what it found, by the invariants' names."""
    places = {
        **platform.stack.urls(),
        "BLOB_DIR": str(platform.stack.data / "blobs"),
        "DATABASE_PREFIX": DATABASE_PREFIX,
    }
    process = await asyncio.create_subprocess_exec(
        *CHECK,
        cwd=ROOT,
        env={**os.environ, **places},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(CHECK_S):
            output, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        return [f"the check took over {CHECK_S:.0f} s"]
    if process.returncode not in (0, 1) or not output:
        return [f"the check ended with {process.returncode}: {errors.decode()[-500:]}"]
    report = json.loads(output)
    return [_told(each) for each in report["invariants"] if each["name"] in report["violated"]]


def _told(invariant: dict[str, Any]) -> str:  # a line of the check's report
    findings = [str(each) for each in invariant["findings"][:FINDINGS_MAX]]
    return f"{invariant['name']}: {'; '.join(findings)}"
