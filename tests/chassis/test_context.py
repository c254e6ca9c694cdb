"""A signed context: whole, or refused."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.clock import new_id
from chassis.context import (
    Context,
    called_by,
    current_actor_id,
    read_context,
    sign,
    trusted_context,
)
from chassis.errors import NotAllowed

KEY = b"the gateway's key, and the services'"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOMEBODY = Context(new_id(), new_id(), "app.edit", NOW + timedelta(seconds=30))


@given(
    actor_id=st.none() | st.uuids(),
    workspace_id=st.none() | st.uuids(),
    permission=st.text(max_size=30),
    seconds=st.integers(1, 10_000),
)
def test_what_was_signed_is_read(
    actor_id: UUID | None, workspace_id: UUID | None, permission: str, seconds: int
) -> None:
    context = Context(actor_id, workspace_id, permission, NOW + timedelta(seconds=seconds))

    assert read_context(sign(context, KEY), KEY, NOW) == context


@given(place=st.integers(0, 300), letter=st.sampled_from("AaZz09-_."))
def test_one_letter_of_difference_is_refused_or_means_the_same(place: int, letter: str) -> None:
    text = sign(SOMEBODY, KEY)
    place %= len(text)
    forged = text[:place] + letter + text[place + 1 :]

    try:
        read = read_context(forged, KEY, NOW)
    except NotAllowed:
        return
    assert read == SOMEBODY  # base64's last letter has bits that mean nothing


@given(text=st.text(max_size=200))
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(NotAllowed):
        read_context(text, KEY, NOW)


def test_it_ends_with_its_time() -> None:
    text = sign(SOMEBODY, KEY)

    with pytest.raises(NotAllowed, match="expired"):
        read_context(text, KEY, SOMEBODY.expires_at)


def test_another_key_is_refused() -> None:
    with pytest.raises(NotAllowed, match="not signed"):
        read_context(sign(SOMEBODY, b"somebody else's key"), KEY, NOW)


def test_who_asked_is_known_while_the_request_is_answered() -> None:
    with called_by(SOMEBODY):
        inside = current_actor_id()

    assert (inside, current_actor_id()) == (SOMEBODY.actor_id, None)


def test_over_kafka_only_services_speak() -> None:
    context = trusted_context(actor_id=None, workspace_id=None)

    assert context.permission == ""
    assert context.expires_at > NOW + timedelta(days=365)
