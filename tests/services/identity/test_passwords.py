"""Argon2id for real: what it makes, what it compares, and how much of it at one time."""

import asyncio

import pytest

from chassis.errors import Unavailable
from chassis.resources import Resources
from services.identity.store.passwords import Argon2Passwords
from tests.services.identity.fakes import PASSWORD, FakeClock, some_settings


def passwords_with(**limits: int) -> Argon2Passwords:
    return Argon2Passwords(Resources(some_settings(**limits), FakeClock()))


async def test_a_hash_names_its_kind_and_costs_and_has_a_salt() -> None:
    passwords = passwords_with(password_hash_memory_kib=16, password_hash_passes=2)

    hashes = [await passwords.hash(PASSWORD) for _ in range(2)]

    assert all(text.startswith("$argon2id$v=19$m=16,t=2,p=1$") for text in hashes)
    assert hashes[0] != hashes[1]
    assert not passwords.outdated(hashes[0])
    assert passwords_with(password_hash_memory_kib=32).outdated(hashes[0])


async def test_only_the_same_text_matches_however_it_was_typed() -> None:
    passwords = passwords_with()
    kept = await passwords.hash("pässword of mine")

    composed, decomposed = "pässword of mine", "pa\u0308ssword of mine"
    assert await passwords.matches(composed, kept)
    assert await passwords.matches(decomposed, kept)
    assert not await passwords.matches("Pässword of mine", kept)


@pytest.mark.parametrize("kept", [None, "", "not a hash", "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$"])
async def test_nothing_matches_where_there_is_no_hash(kept: str | None) -> None:
    passwords = passwords_with()

    assert not await passwords.matches("nobody's password", kept)


async def test_only_so_many_have_a_turn_and_only_so_many_wait() -> None:
    passwords = passwords_with(password_threads_max=1, password_queue_max=1)
    first_in, let_go = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with passwords.turn():
            first_in.set()
            async with asyncio.timeout(10):
                await let_go.wait()

    holding = asyncio.create_task(hold())
    async with asyncio.timeout(10):
        await first_in.wait()
    waiting = asyncio.create_task(hold())
    await asyncio.wait([waiting], timeout=0.01)  # it gets as far as the queue
    with pytest.raises(Unavailable) as too_many:
        async with passwords.turn():
            pass
    let_go.set()
    await asyncio.gather(holding, waiting)
    async with passwords.turn():
        pass

    assert too_many.value.retry_after == 1.0


async def test_nobody_waits_for_long() -> None:
    passwords = passwords_with(password_threads_max=1, password_wait_ms=10)

    async with passwords.turn():
        with pytest.raises(Unavailable) as too_long:
            async with passwords.turn():
                pass

    assert "in time" in str(too_long.value)
