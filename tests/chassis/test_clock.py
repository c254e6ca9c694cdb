"""Ids and virtual time."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from chassis.clock import (
    SystemClock,
    born_at,
    derived_id,
    jittered,
    new_id,
    uuid_of,
    uuid_of_bytes,
    uuid_of_text,
)
from chassis.testing.clock import START, VirtualClock


def test_ids_sort_by_birth_and_are_uuid7() -> None:
    ids = [new_id() for _ in range(20_000)]

    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {(each.version, each.variant) for each in ids} == {(7, "specified in RFC 4122")}


def test_an_id_knows_when_it_was_born() -> None:
    now = SystemClock().now()

    assert abs(born_at(new_id()) - now) < timedelta(seconds=5)


def test_a_derived_id_is_the_same_for_the_same_parts_only() -> None:
    same = {derived_id(START, "saga", 1, "forward") for _ in range(3)}
    other = derived_id(START, "saga", 1, "backward")

    assert len(same) == 1
    assert other not in same
    assert born_at(other) == START
    assert other.version == 7


ANY = UUID("019b7600-0000-776a-acf8-9a292c1f11d8")


@pytest.mark.parametrize(
    "made",
    [
        uuid_of(ANY.int),
        uuid_of_bytes(ANY.bytes),
        *map(uuid_of_text, (str(ANY), str(ANY).upper(), ANY.hex, f"{{{ANY}}}", ANY.urn)),
    ],
)
def test_a_made_uuid_is_like_any_other(made: UUID) -> None:
    assert isinstance(made, UUID)
    assert (made, ANY) == (ANY, made)
    assert ({made: 1}[ANY], {ANY: 1}[made]) == (1, 1)
    assert (str(made), repr(made), made.int, made.bytes) == (
        str(ANY),
        repr(ANY),
        ANY.int,
        ANY.bytes,
    )
    assert (made.version, made < UUID(int=0), UUID(int=0) < made) == (7, False, True)


@pytest.mark.parametrize("text", ["", "x" * 36, str(ANY)[1:], f"{ANY}\n", "-" * 36])
def test_what_is_no_uuid_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        uuid_of_text(text)


def test_jitter_stays_below_its_bound() -> None:
    assert all(0 <= jittered(2.0) < 2.0 for _ in range(100))


async def test_virtual_time_wakes_sleepers_in_order() -> None:
    clock = VirtualClock()
    woken: list[float] = []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(clock.monotonic())

    tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (3, 1, 2)]
    await clock.pass_time(2.5)

    assert woken == [1, 2]
    assert clock.now() == START + timedelta(seconds=2.5)
    await clock.pass_time(1)
    assert woken == [1, 2, 3]
    await asyncio.gather(*tasks)
