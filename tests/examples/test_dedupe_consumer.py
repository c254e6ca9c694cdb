"""The example consumer's heart: what is no event is kept aside, and holds up nobody."""

import sqlite3

import pytest

from chassis.testing.messages import FakeRecord
from examples.dedupe_consumer import SCHEMA, record_effects

HEADERS = (
    ("ce_id", b"1"),
    ("ce_type", b"studio.AppRenamed.v1"),
    ("ce_subject", b"app"),
    ("ce_aggregateversion", b"7"),
)


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b"no JSON", HEADERS),
        (None, HEADERS),
        (b"{}", HEADERS[1:]),
        (b"{}", (("ce_id", b"\xff"), *HEADERS[1:])),
        (b"{}", (*HEADERS[:3], ("ce_aggregateversion", b"x"))),
    ],
)
def test_what_is_no_event_is_kept_aside(
    value: bytes | None, headers: tuple[tuple[str, bytes], ...]
) -> None:
    database = sqlite3.connect(":memory:")
    database.executescript(SCHEMA)
    stray = FakeRecord("studio.app.v1", 0, 4, b"k", value, headers)
    sound = FakeRecord("studio.app.v1", 0, 5, b"k", b'{"a": 1}', HEADERS)

    fresh = [record_effects(database, [stray, sound, sound]) for _ in range(2)]

    assert fresh == [1, 0]
    assert database.execute("SELECT offset, value FROM rejected").fetchall() == [(4, value)]
    assert database.execute("SELECT version, data FROM app_event").fetchall() == [(7, '{"a": 1}')]
