"""Ids that follow from others: the same today and after every upgrade."""

from uuid import UUID

import pytest

from chassis.saga.ids import event_id, parsed
from chassis.testing.saga import SAGA_ID


def test_the_ids_of_public_events_stay_as_they_are() -> None:
    first, second = event_id(SAGA_ID, 1), event_id(SAGA_ID, 2)

    assert first == UUID("019b7600-0000-776a-acf8-9a292c1f11d8")
    assert second == UUID("019b7600-0000-7b7e-8e34-c1091dfdc24d")
    assert event_id(UUID(int=1), 1) != first


def test_a_uuid_in_a_header_is_read() -> None:
    assert parsed(str(SAGA_ID).encode()) == SAGA_ID


@pytest.mark.parametrize("text", [b"", b"019b7600", b"x" * 36])
def test_what_is_no_uuid_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        parsed(text)


def test_a_short_uuid_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match=r"^a UUID has 36 characters$"):
        parsed(str(SAGA_ID).encode()[1:])
