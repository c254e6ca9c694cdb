"""What a section's code says, as it is stored."""

import hashlib
import json

import pytest

from services.studio.appsmith import Kind, Section, add_entity, new_app, replace_entity
from services.studio.references.section_readings import (
    READER,
    ReadingsBroken,
    SectionReadings,
    decode,
    encode,
    key_of,
    read_section,
)

CODE = '{{ Table1.row["id"] + (({Name}) => Name)(Query1.data) + `${ [Input1, eval] }` }} {{ }'
GOLDEN = "4:1c95646721f27aae"


def a_section() -> Section:
    app = new_app("Shop")
    for name, value in (("Text1", {"text": CODE, "onClick": "{{Query1.run()}}"}), ("Table1", {})):
        value = {"type": "TEXT_WIDGET", **value}
        app = add_entity(app, Kind.WIDGET, name=name, page="Home", value=value).app
    app = add_entity(app, Kind.QUERY, name="Query1", page="Home", text="SELECT {{Table1.a}}").app
    return app.sections["page:Home"]


def the_widget(section: Section) -> str:
    return next(one.entity_id for one in section.entities if one.name == "Text1")


def test_what_is_stored_comes_back() -> None:
    found = read_section(a_section())

    back = decode(encode(found))

    assert back == found
    assert back.readings[the_widget(a_section())].uses


def test_what_stayed_the_same_is_not_read_again() -> None:
    section = a_section()
    told = read_section(section)
    empty = dict.fromkeys(told.readings, type(told.readings[the_widget(section)])())
    before = SectionReadings(told.entities, empty, told.lines)

    found = read_section(section, before)

    assert found.readings == empty


def test_an_edit_read_after_another_is_what_reading_all_gives() -> None:
    section = a_section()
    app = new_app("Shop").with_sections([section])
    value = {**json.loads(section.files[section.by_id[the_widget(section)].path]), "text": "{{A}}"}
    after = replace_entity(app, the_widget(section), value).app.sections["page:Home"]

    found = read_section(after, read_section(section))

    assert found == read_section(after)
    assert found != read_section(section)


def test_the_order_of_keys_in_a_source_is_not_seen() -> None:
    section = a_section()
    path = section.by_id[the_widget(section)].path
    value = json.loads(section.files[path])
    turned = json.dumps(dict(reversed(value.items()))).encode()

    one, other = read_section(section), read_section(section.with_files({path: turned}))

    assert one.lines == other.lines


@pytest.mark.parametrize("body", [b"", b"no zlib", encode(read_section(a_section()))[0][:-9]])
def test_a_broken_body_is_told_as_such(body: bytes) -> None:
    with pytest.raises(ReadingsBroken):
        decode([body])


def test_each_thing_that_readings_are_made_of_is_in_their_name() -> None:
    names = {
        key_of("page:Home", 5, ["a", "b"]),
        key_of("page:Home", 4, ["a", "b"]),
        key_of("page:Away", 5, ["a", "b"]),
        key_of("page:Home", 5, ["b", "a"]),
    }

    assert len(names) == 4


def test_who_changes_what_is_read_raises_the_reader() -> None:
    lines = "\n".join(read_section(a_section()).lines.values())

    now = f"{READER}:{hashlib.sha256(lines.encode()).hexdigest()[:16]}"

    assert now == GOLDEN, "the same source is read to something else: raise READER, note it here"
