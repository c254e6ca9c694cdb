"""What a change breaks, one rule at a time."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from contracts.base import Message
from tests.contracts.made import a_command, an_event, schema
from tools.contracts.compatibility import Break, breaks


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Sizes(StrEnum):
    SMALL = "small"
    LARGE = "large"
    HUGE = "huge"


class Small(StrEnum):
    SMALL = "small"


class Line(BaseModel):
    name: str


class LongLine(BaseModel):
    name: str
    note: str = ""


class OtherLine(BaseModel):
    name: int


class NeedyLine(BaseModel):
    name: str
    note: str


KEPT: dict[str, Any] = {"cart_id": (UUID, ...)}  # pydantic's own spelling of fields


def rules(old: type[Message], new: type[Message]) -> list[tuple[str, str]]:
    return [(each.rule, each.path) for each in breaks(schema(old), schema(new))]


def found(old: type[Message], new: type[Message]) -> Break:
    (each,) = breaks(schema(old), schema(new))
    return each


def event_with(field: Any) -> type[Message]:
    return an_event(**KEPT, it=field)


def command_with(field: Any) -> type[Message]:
    return a_command(**KEPT, it=field)


class TestPasses:
    def test_no_change(self) -> None:
        assert rules(event_with((str, ...)), event_with((str, ...))) == []

    @pytest.mark.parametrize("field", [(str, ""), (UUID | None, None), (list[Line], [])])
    def test_an_added_optional_field(self, field: Any) -> None:
        assert rules(an_event(**KEPT), event_with(field)) == []
        assert rules(a_command(**KEPT), command_with(field)) == []

    def test_an_added_optional_field_deep_inside(self) -> None:
        assert rules(event_with((list[Line], ...)), event_with((list[LongLine], ...))) == []

    def test_another_description(self) -> None:
        described = (Annotated[str, Field(description="It.")], ...)

        assert rules(event_with((str, ...)), event_with(described)) == []

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ((Size, ...), (Sizes, ...)),
            ((Annotated[int, Field(le=5)], ...), (Annotated[int, Field(le=9)], ...)),
            ((str, ...), (str, "")),
            ((str, ...), (str | None, ...)),
            ((Annotated[str, Field(pattern="^a")], ...), (str, ...)),
        ],
        ids=["a value more", "a higher limit", "optional", "nullable", "no pattern"],
    )
    def test_a_question_that_becomes_more_liberal(self, old: Any, new: Any) -> None:
        assert rules(command_with(old), command_with(new)) == []


class TestFails:
    def test_removing(self) -> None:
        each = found(event_with((str, ...)), an_event(**KEPT))

        assert (each.rule, each.path) == ("removed", "it")
        assert "version=2" in each.instead

    def test_removing_an_optional_one(self) -> None:
        assert rules(event_with((str, "")), an_event(**KEPT)) == [("removed", "it")]

    def test_renaming(self) -> None:
        each = found(event_with((str, ...)), an_event(**KEPT, that=(str, "")))

        assert (each.rule, each.path) == ("renamed", "it")
        assert "that" in each.what

    def test_making_required(self) -> None:
        assert rules(event_with((str, "")), event_with((str, ...))) == [("made required", "it")]

    def test_adding_a_required_one(self) -> None:
        assert rules(an_event(**KEPT), event_with((str, ...))) == [("made required", "it")]
        assert rules(a_command(**KEPT), command_with((str, ...))) == [("made required", "it")]

    def test_making_optional_what_readers_rely_on(self) -> None:
        assert rules(event_with((str, ...)), event_with((str, ""))) == [("made optional", "it")]

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (str, int),
            (int, str),
            (str, UUID),
            (UUID, str),
            (str, list[str]),
            (Line, str),
            (dict[str, int], dict[str, str]),
            (str | None, int | None),
            (list[str], list[int]),
        ],
    )
    def test_retyping(self, old: Any, new: Any) -> None:
        (rule, path), *_ = rules(event_with((old, ...)), event_with((new, ...)))

        assert rule == "retyped"
        assert path.rstrip("[]{}") == "it"

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (str, Annotated[str, Field(max_length=9)]),
            (Annotated[str, Field(max_length=9)], Annotated[str, Field(max_length=5)]),
            (Annotated[int, Field(ge=1)], Annotated[int, Field(ge=2)]),
            (int, Annotated[int, Field(gt=0)]),
            (str, Annotated[str, Field(pattern="^a")]),
            (Size, Small),
            (list[str], Annotated[list[str], Field(max_length=3)]),
            (str | None, str),
        ],
        ids=["length", "shorter", "minimum", "positive", "pattern", "enum", "items", "null"],
    )
    def test_narrowing(self, old: Any, new: Any) -> None:
        for made in (event_with, command_with):
            assert rules(made((old, ...)), made((new, ...))) == [("narrowed", "it")]

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (Size, Sizes),
            (Annotated[str, Field(max_length=5)], Annotated[str, Field(max_length=9)]),
            (str, str | None),
        ],
        ids=["enum", "length", "null"],
    )
    def test_widening_what_older_readers_refuse(self, old: Any, new: Any) -> None:
        assert rules(event_with((old, ...)), event_with((new, ...))) == [("widened", "it")]

    def test_deep_inside(self) -> None:
        old = event_with((list[Line], ...))

        assert rules(old, event_with((list[OtherLine], ...))) == [("retyped", "it[].name")]
        assert rules(old, event_with((list[NeedyLine], ...))) == [("made required", "it[].note")]

    def test_another_key_changes_the_order_of_messages(self) -> None:
        fields = {**KEPT, "it": (UUID, ...)}

        each = found(an_event(**fields), an_event(key="it", **fields))

        assert each.rule == "moved"
        assert "its key was 'cart_id' and is 'it'" in each.what

    def test_several_faults_are_all_named(self) -> None:
        old = an_event(**KEPT, one=(str, ...), two=(int, ...))
        new = an_event(**KEPT, two=(str, ...), three=(bool, ...))

        assert sorted(rules(old, new)) == [
            ("made required", "three"), ("removed", "one"), ("retyped", "two"),
        ]  # fmt: skip
