"""Copies: names and ids of their own, and code that means what was copied along."""

import json

import pytest

from services.studio.appsmith import EditRefused, EditRule
from services.studio.references.copy_names import CopyNames
from services.studio.references.delete import delete
from services.studio.references.duplicate import duplicate
from tests.services.studio.references.small_app import an_app, json_of, named, runs_of

FORMATS = (4, 5)


@pytest.mark.parametrize("version", FORMATS)
def test_all_that_is_inside_gets_a_name_and_an_id_of_its_own(version: int) -> None:
    app = an_app(version)

    done = duplicate(app, named(app, "Tabs1").entity_id)

    tabs, listed = json_of(done.app, "Tabs1Copy"), json_of(done.app, "List1Copy")
    first, second = (one["widgetId"] for one in tabs["children"])
    assert {one["widgetName"] for one in tabs["children"]} == {"Canvas1Copy", "Canvas2Copy"}
    assert all(one["parentId"] == tabs["widgetId"] for one in tabs["children"])
    assert tabs["tabsObj"] == {"a": {"id": "a", "widgetId": first}, "b": {"widgetId": second}}
    assert listed["parentId"] == second
    assert listed["mainCanvasId"] == listed["children"][0]["widgetId"]
    title = json_of(done.app, "TitleCopy")
    copied = {"widgetName": "TitleCopy", "widgetId": title["widgetId"], "text": "{{ 1 }}"}
    assert listed["template"] == {"TitleCopy": copied}
    assert listed["dynamicBindingPathList"] == [{"key": "template.TitleCopy.text"}]
    fresh = {tabs["widgetId"], first, second, listed["widgetId"], title["widgetId"]}
    assert len(fresh) == 5
    assert not any(f'"{one}"' in json.dumps(json_of(app, "Tabs1")) for one in fresh)


@pytest.mark.parametrize("version", FORMATS)
def test_code_in_it_means_what_was_copied_along_and_nobody_else_does(version: int) -> None:
    app = an_app(version)

    done = duplicate(app, named(app, "Tabs1").entity_id)

    code = "{{ fetchAll.data + Tabs1Copy.x + Loose.text + 'Title' }}"
    assert json_of(done.app, "TitleCopy")["text"] == code
    assert json_of(done.app, "CloseCopy")["onClick"] == "{{ closeModal('Tabs1Copy') }}"
    assert json_of(done.app, "Loose") == json_of(app, "Loose")
    assert json_of(done.app, "Title") == json_of(app, "Title")


@pytest.mark.parametrize("version", FORMATS)
def test_it_is_below_what_it_is_a_copy_of(version: int) -> None:
    app = an_app(version)

    done = duplicate(app, named(app, "Loose").entity_id)

    copy = json_of(done.app, "LooseCopy")
    assert (copy["topRow"], copy["bottomRow"]) == (8.5, 15.0)
    assert (copy["mobileTopRow"], copy["mobileBottomRow"]) == (3, 6)


@pytest.mark.parametrize("version", FORMATS)
def test_names_count_on_and_a_given_one_is_taken(version: int) -> None:
    app = an_app(version)
    loose = named(app, "Loose").entity_id

    once = duplicate(app, loose)
    twice = duplicate(once.app, loose)
    of_copy = duplicate(twice.app, once.entity.entity_id)
    given = duplicate(app, loose, "Second")

    assert [one.entity.name for one in (once, twice, of_copy, given)] == [
        "LooseCopy",
        "LooseCopy1",
        "LooseCopyCopy",
        "Second",
    ]


@pytest.mark.parametrize("version", FORMATS)
def test_a_script_brings_its_functions_and_runs_as_the_other_does(version: int) -> None:
    app = an_app(version)

    done = duplicate(app, named(app, "Utils").entity_id)

    files = done.app.files
    text = files["pages/P/jsobjects/UtilsCopy/UtilsCopy.js"]
    assert text == b"export default { sum() { return UtilsCopy.x } }"
    function = json.loads(files["pages/P/queries/UtilsCopy-sum/metadata.json"])
    assert function["id"] == "P_UtilsCopy.sum"
    assert function["unpublishedAction"]["fullyQualifiedName"] == "UtilsCopy.sum"
    assert function["unpublishedAction"]["collectionId"] == "P_UtilsCopy"
    assert runs_of(done.app) == [["fetchAll"], ["Utils.sum", "UtilsCopy.sum"]]
    assert len(done.added) == 2


@pytest.mark.parametrize("version", FORMATS)
def test_a_query_has_another_id_to_sync_by(version: int) -> None:
    app = an_app(version)

    done = duplicate(app, named(app, "fetchAll").entity_id)

    copy = json_of(done.app, "fetchAllCopy")
    assert copy["id"] == "P_fetchAllCopy"
    assert copy["gitSyncId"].startswith("app_")
    assert copy["gitSyncId"] != "app_one"
    assert done.app.files["pages/P/queries/fetchAllCopy/fetchAllCopy.txt"] == b"SELECT 1"


@pytest.mark.parametrize("version", FORMATS)
def test_in_a_page_all_keep_their_names(version: int) -> None:
    app = an_app(version)

    done = duplicate(app, named(app, "P").entity_id)

    assert (done.entity.name, done.entity.page) == ("P Copy", "P Copy")
    listed = json.loads(done.app.files["application.json"])["pages"]
    assert listed[2] == {"id": "P Copy", "isDefault": False}
    query = json_of(done.app, "fetchAll", "P Copy")
    assert (query["id"], query["unpublishedAction"]["pageId"]) == ("P Copy_fetchAll", "P Copy")
    assert runs_of(done.app, "P Copy") == runs_of(app)
    page = json.loads(done.app.files[done.entity.path])
    assert page["unpublishedPage"]["slug"] == "p-copy"
    (layout,) = page["unpublishedPage"]["layouts"]
    assert (layout["id"], layout["layoutOnLoadActions"][0][0]["id"]) == (
        "P Copy",
        "P Copy_fetchAll",
    )
    assert json_of(done.app, "Title", "P Copy") == json_of(app, "Title")


@pytest.mark.parametrize("version", FORMATS)
@pytest.mark.parametrize("name", ["Tabs1", "List1", "Loose", "fetchAll", "Utils", "P", "Q"])
def test_deleted_again_it_leaves_no_trace(version: int, name: str) -> None:
    app = an_app(version)

    done = duplicate(app, named(app, name, "Q" if name == "Q" else "P").entity_id)
    gone = delete(done.app, done.entity.entity_id)

    assert done.app.files != app.files
    assert gone.app.files == app.files
    assert set(gone.gone) == set(done.added)


@pytest.mark.parametrize("name", ["Stock", "sum", "Canvas1", "MainContainer"])
def test_what_is_no_thing_of_its_own_is_not_copied(name: str) -> None:
    app = an_app(4)
    entity = next(one for one in app if one.name == name)

    with pytest.raises(EditRefused) as refused:
        duplicate(app, entity.entity_id)

    assert refused.value.rule is EditRule.NOT_ADDABLE


def test_a_name_that_stands_anywhere_on_the_page_is_not_taken() -> None:
    app = an_app(5)
    path = "pages/P/jsobjects/Utils/Utils.js"
    code = b"export default { f: () => { const LooseCopy = 1; return Loose.text + LooseCopy } }"
    section = app.sections["page:P"].with_files({path: code})

    done = duplicate(app.with_sections([section]), named(app, "Loose").entity_id)

    assert done.entity.name == "LooseCopy1"


def test_thousands_of_one_name_get_a_name_each() -> None:
    names = CopyNames(an_app(5).sections["page:P"], ())

    made = [names.free("Text") for _ in range(20_000)]

    assert (made[0], made[1], made[-1]) == ("TextCopy", "TextCopy1", "TextCopy19999")
