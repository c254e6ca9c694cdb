"""How much of a long list is told."""

from contracts.studio.app import RenameChange
from services.studio.model.listing import ANSWER_BYTES_MAX, listed, told


def a_change(path: str) -> RenameChange:
    return RenameChange(entity_id="widget:A", path=path, start=0, before="A", after="B")


def test_a_list_ends_at_a_number() -> None:
    changes = [a_change("text")] * 3

    assert told(changes, 2) == changes[:2]


def test_a_list_ends_where_there_is_no_more_room() -> None:
    half = a_change("x" * (ANSWER_BYTES_MAX // 2 - 200))

    assert told([half, half, half], 500) == [half, half]


def test_what_alone_is_too_much_is_not_told() -> None:
    assert listed(["long", "a"], 5, len, bytes_max=4) == []
