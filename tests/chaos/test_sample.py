"""Forty cases of the kill sweep, chosen anew each time by a seed that is printed."""

import os
import secrets
from collections.abc import AsyncIterator

import pytest

from tests.chaos.book import Book, every_case, sample
from tests.chaos.platform import ChaosPlatform
from tests.chaos.report import markdown
from tests.chaos.sweep import Sweep, say

pytestmark = [pytest.mark.flow, pytest.mark.servers]

CASES = 40


@pytest.fixture
async def chaos() -> AsyncIterator[ChaosPlatform]:
    """A platform of its own: its services are there to be killed."""
    running = ChaosPlatform()
    try:
        await running.start()
        yield running
    finally:
        await running.stop()


async def test_forty_kills_leave_no_trace(
    chaos: ChaosPlatform, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbelow(1_000_000))
    again = f"again: python -m tests.chaos --sample {CASES} --seed {seed}"
    with capsys.disabled():
        say(f"\n{again}")
    book = Book(seed, sample(every_case(seed), CASES, seed))

    await Sweep(chaos, book).run()

    assert book.passed, f"{again}\n{markdown(book)}"
