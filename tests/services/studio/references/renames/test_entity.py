"""Renames of a widget, query or script: what is left alone and told, and ids of odd pages."""

import json

import pytest

from services.studio.appsmith import EditRefused, EditRule, Section
from services.studio.references.rename import rename
from tests.services.studio.references.test_rename import INPUT, P, a_page, renamed


def test_code_that_cannot_be_read_is_told_where_it_has_the_name() -> None:
    broken, other = "{{ Input1.value + }}", "{{ Input12.value + }}"
    section = a_page(Input1=INPUT, Table1={"x": broken, "y": other, "z": "{{ eval(Input1) }}"})

    found = renamed(section, f"widget:{P}/widgets/Input1.json", "Search")

    assert [(one.path, one.text) for one in found.unclear] == [
        ("x", " Input1.value + "),
        ("z", "eval"),
    ]
    table = json.loads(found.section.files[f"{P}/widgets/Table1.json"])
    assert (table["x"], table["z"]) == (broken, "{{ eval(Search) }}")


def test_texts_that_are_the_new_name_are_not_mixed_with_the_old() -> None:
    section = a_page(Input1=INPUT, Button1={"onClick": "{{ resetWidget('Search') }}"})

    with pytest.raises(EditRefused) as refused:
        rename(section, f"widget:{P}/widgets/Input1.json", "Search", with_mentions=True)

    assert refused.value.rule is EditRule.NAME_USED
    rename(section, f"widget:{P}/widgets/Input1.json", "Search")


def test_texts_that_name_a_page_are_no_widgets() -> None:
    section = a_page(Input1=INPUT, Button1={"onClick": "{{ navigateTo('Input1') }}"})

    found = rename(section, f"widget:{P}/widgets/Input1.json", "Search", with_mentions=True)

    path = f"{P}/widgets/Button1.json"
    assert found.section.files[path] == section.files[path]


def test_ids_may_be_made_of_the_pages_name_or_of_its_folders() -> None:
    section = a_page()
    page = section.files[f"{P}/P.json"].replace(b'"name": "P"', b'"name": "P / Q"')
    query = section.files[f"{P}/queries/fetchAll/metadata.json"].replace(b"P_f", b"P / Q_f")
    changed = {f"{P}/P.json": page, f"{P}/queries/fetchAll/metadata.json": query}

    files = renamed(
        section.with_files(changed), f"query:{P}/queries/fetchAll", "load"
    ).section.files

    assert json.loads(files[f"{P}/queries/load/metadata.json"])["id"] == "P / Q_load"
    assert b'"id": "P_load"' in files[f"{P}/P.json"]


def test_a_page_that_begins_with_a_scripts_name_keeps_its_folder() -> None:
    files = {path.replace("pages/P/", "pages/Utils-P/"): c for path, c in a_page().files.items()}
    section = Section("page:Utils-P", 5, files)

    after = renamed(section, "script:pages/Utils-P/jsobjects/Utils", "Helpers").section

    assert all(path.startswith("pages/Utils-P/") for path in after.files)
    assert "pages/Utils-P/queries/Helpers-sum/metadata.json" in after.files
