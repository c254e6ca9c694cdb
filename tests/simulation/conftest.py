"""What died in a simulated world is cleaned up while nobody listens."""

import gc
from collections.abc import Iterator

import pytest

from chassis.testing.simulation.run import in_silence


@pytest.fixture(autouse=True)
def swept() -> Iterator[None]:
    """Coroutines of dead processes run their cleanup when they are collected: now, and not in the
    middle of whatever comes after the test."""
    yield
    with in_silence():
        gc.collect()
