"""The tidy rules hold, and would be noticed if they did not."""

from collections.abc import Callable, Iterator

import pytest

from tests.conformance import tidy

CODE = ("chassis", "contracts", "sagas", "services")
ALL = (*CODE, "infra", "tools", "tests", "examples")
Rule = Callable[[str, str], Iterator[tidy.Finding]]


def findings(rule: Rule, *folders: str) -> list[str]:
    """All findings of a rule, as lines to click on."""
    return [
        str(finding)
        for path in tidy.sources(*folders)
        for finding in rule(str(path.relative_to(tidy.ROOT)), path.read_text())
    ]


def test_modules_functions_and_lines_are_small() -> None:
    assert findings(tidy.sizes, *ALL) == []


def test_time_and_chance_come_from_the_ports() -> None:
    assert findings(tidy.naked_calls, *CODE) == []


def test_every_wait_has_a_deadline() -> None:
    assert findings(tidy.endless_waits, *CODE) == []


def test_every_client_and_queue_has_a_limit() -> None:
    assert findings(tidy.unbounded_calls, *CODE) == []


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (tidy.sizes, "x = 1\n" * 301),
        (tidy.sizes, "x = '" + "y" * 100 + "'\n"),
        (tidy.sizes, "def f():\n" + "    x = 1\n" * 40),
        (tidy.naked_calls, "import asyncio\nasync def f():\n    await asyncio.sleep(1)\n"),
        (tidy.naked_calls, "from datetime import datetime\nnow = datetime.now()\n"),
        (tidy.naked_calls, "import random\nx = random.random()\n"),
        (tidy.endless_waits, "async def f(queue):\n    return await queue.get()\n"),
        (tidy.endless_waits, "async def f(event):\n    await event.wait()\n"),
        (tidy.unbounded_calls, "import asyncio\nasync def f(t):\n    await asyncio.wait(t)\n"),
        (tidy.unbounded_calls, "import asyncio\nwaiting = asyncio.Queue()\n"),
        (tidy.unbounded_calls, "import httpx\nclient = httpx.AsyncClient()\n"),
    ],
)
def test_a_planted_fault_is_found(rule: Rule, text: str) -> None:
    assert len(list(rule("services/planted.py", text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "async def f(q):\n    async with asyncio.timeout(1):\n        await q.get()\n",
        "async def f(e):\n    await asyncio.wait_for(e.wait(), 1)\n",
        "async def f(redis):\n    await redis.get('key')\n",
    ],
)
def test_a_wait_with_a_deadline_is_fine(text: str) -> None:
    assert list(tidy.endless_waits("services/fine.py", text)) == []
