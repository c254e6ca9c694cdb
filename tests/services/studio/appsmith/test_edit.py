"""Edits of one entity, in both formats."""

import json
from typing import Any

import pytest

from services.studio.appsmith import (
    App,
    EditRefused,
    EditRule,
    Kind,
    parse,
    remove_entity,
    replace_entity,
)
from tests.samples.shop import shop
from tests.services.studio.appsmith.edits import changes, id_of, source, value

FORMATS = pytest.mark.parametrize("format_version", [2, 3, 4, 5])


def refusal(app: App, entity_id: str, **changed: Any) -> EditRule:
    with pytest.raises(EditRefused) as refused:
        replace_entity(app, entity_id, **changed)
    return refused.value.rule


class TestReplace:
    @FORMATS
    @pytest.mark.parametrize(
        ("kind", "name"), [(Kind.QUERY, "List orders"), (Kind.SCRIPT, "utils")]
    )
    def test_a_text_is_the_body_wherever_the_format_keeps_it(
        self, format_version: int, kind: Kind, name: str
    ) -> None:
        app = parse(shop(format_version))
        page = "Home" if kind is Kind.QUERY else "home"
        entity = id_of(app, kind, name, page)

        edited = replace_entity(app, entity, text="another")

        assert changes(app, edited) == [("changed", name)]
        assert source(app, entity).text == source(parse(shop(4)), entity).text
        assert source(edited.app, entity).text == "another"
        assert edited.app.files.keys() == app.files.keys()

    @FORMATS
    def test_a_widget_changes_it_alone(self, format_version: int) -> None:
        app = parse(shop(format_version))
        widget = id_of(app, Kind.WIDGET, "Text1")

        edited = replace_entity(app, widget, {**value(app, widget), "text": "Ω"})

        assert changes(app, edited) == [("changed", "Text1")]
        assert value(edited.app, widget)["text"] == "Ω"
        assert edited.entity.digest != next(e.digest for e in app if e.entity_id == widget)

    @FORMATS
    def test_a_container_keeps_what_is_inside(self, format_version: int) -> None:
        app = parse(shop(format_version))
        box = id_of(app, Kind.WIDGET, "Box")

        edited = replace_entity(app, box, {**value(app, box), "color": "red"})

        assert changes(app, edited) == [("changed", "Box")]

    def test_in_a_canvas_leaves_the_rest_of_the_file_as_it_is(self) -> None:
        app = parse(shop(4))
        widget = id_of(app, Kind.WIDGET, "Save ✓")
        path = "pages/Home/canvas.json"

        edited = replace_entity(app, widget, {"onClick": "{{Go()}}", **value(app, widget)})

        old = app.files[path].decode().splitlines()
        new = edited.app.files[path].decode().splitlines()
        assert [line.strip() for line in new if line not in old] == ['"onClick": "{{Go()}}",']
        assert [line for line in old if line not in new] == []

    @FORMATS
    def test_every_entity_by_itself_changes_no_byte(self, format_version: int) -> None:
        app = parse(shop(format_version, copies=0))

        for entity in app:
            own = source(app, entity.entity_id)
            if entity.kind is not Kind.DATASOURCE and own.value is not None:
                same = json.loads(json.dumps(own.value))
                assert replace_entity(app, entity.entity_id, same).app == app
            if own.text is not None:
                assert replace_entity(app, entity.entity_id, text=own.text).app == app

    @FORMATS
    def test_a_number_is_not_a_truth(self, format_version: int) -> None:
        app = parse(shop(format_version))
        widget = id_of(app, Kind.WIDGET, "Text1")

        edited = replace_entity(app, widget, {**value(app, widget), "version": True})

        assert changes(app, edited) == [("changed", "Text1")]

    @FORMATS
    def test_a_querys_text_goes_into_its_metadata_too(self, format_version: int) -> None:
        app = parse(shop(format_version))
        query = id_of(app, Kind.QUERY, "List orders")

        edited = replace_entity(app, query, text="SELECT 1 -- ☕")

        assert changes(app, edited) == [("changed", "List orders")]
        own = source(edited.app, query)
        assert own.value is not None
        body = own.value["unpublishedAction"]["actionConfiguration"]["body"]
        assert (own.text, body) == ("SELECT 1 -- ☕", "SELECT 1 -- ☕")

    def test_a_querys_metadata_goes_into_its_text_too(self) -> None:
        app = parse(shop(5))
        query = id_of(app, Kind.QUERY, "List orders")
        new = value(app, query)
        new["unpublishedAction"]["actionConfiguration"]["body"] = "SELECT 3"

        edited = replace_entity(app, query, new)

        assert source(edited.app, query).text == "SELECT 3"

    def test_a_text_that_stands_alone_stays_alone(self) -> None:
        app = parse(shop(5))
        query = id_of(app, Kind.QUERY, "OnlyText")

        edited = replace_entity(app, query, text="SELECT 4")

        own = source(edited.app, query)
        assert own.text == "SELECT 4"
        assert own.value == value(app, query)

    def test_a_scripts_code(self) -> None:
        app = parse(shop(5))
        script = id_of(app, Kind.SCRIPT, "Utils")

        edited = replace_entity(app, script, text="export default {}\r\n")

        assert edited.app.files["pages/Home/jsobjects/Utils/Utils.js"] == b"export default {}\r\n"

    @FORMATS
    def test_a_page_keeps_its_widgets(self, format_version: int) -> None:
        app = parse(shop(format_version))
        page = id_of(app, Kind.PAGE, "Home")
        new = value(app, page)
        new["unpublishedPage"]["isHidden"] = True

        edited = replace_entity(app, page, new)

        assert changes(app, edited) == [("changed", "Home")]
        assert edited.entity.fields["hidden"] is True

    def test_needs_only_the_section_that_it_is_about(self) -> None:
        whole = parse(shop(5))
        part = App(5, {"page:Home": whole.sections["page:Home"]})
        widget = id_of(part, Kind.WIDGET, "Text1")

        edited = replace_entity(part, widget, {**value(part, widget), "text": "x"})

        assert list(edited.app.sections) == ["page:Home"]


class TestReplaceRefuses:
    @FORMATS
    def test_what_would_break_others(self, format_version: int) -> None:
        app = parse(shop(format_version))
        widget = id_of(app, Kind.WIDGET, "Text1")
        own = value(app, widget)

        assert refusal(app, "widget:nothing", value={}) == EditRule.UNKNOWN_ENTITY
        assert refusal(app, widget, value={**own, "widgetId": "x"}) == EditRule.ID_CHANGED
        assert refusal(app, widget, value={**own, "widgetName": ""}) == EditRule.NAME_INVALID
        assert refusal(app, widget, value={**own, "widgetName": "Utils"}) == EditRule.NAME_TAKEN
        assert refusal(app, widget, value={**own, "type": 5}) == EditRule.TYPE_MISSING
        assert refusal(app, widget, value=[]) == EditRule.SHAPE
        assert refusal(app, widget, value={**own, "x": float("nan")}) == EditRule.SHAPE
        assert refusal(app, widget, value={**own, "x": "\ud800"}) == EditRule.SHAPE
        assert refusal(app, widget, text="x") == EditRule.NO_TEXT

    def test_too_deep_a_value(self) -> None:
        app = parse(shop(5))
        widget = id_of(app, Kind.WIDGET, "Text1")
        deep: dict[str, Any] = {}
        for _ in range(5000):
            deep = {"d": deep}

        assert refusal(app, widget, value={**value(app, widget), "x": deep}) == EditRule.SHAPE

    def test_credentials_in_a_datasource(self) -> None:
        app = parse(shop(5))
        source_id = id_of(app, Kind.DATASOURCE, "ledger", page="")
        authentication = {"datasourceConfiguration": {"authentication": {"Password": "p"}}}

        rule = refusal(app, source_id, value={**value(app, source_id), **authentication})

        assert rule == EditRule.CREDENTIAL

    def test_other_layouts_than_the_page_has(self) -> None:
        app = parse(shop(4))
        page = id_of(app, Kind.PAGE, "Home")

        rule = refusal(app, page, value={"unpublishedPage": {"name": "Home", "layouts": []}})

        assert rule == EditRule.SHAPE

    def test_json_for_a_file_that_nobody_knows(self) -> None:
        app = parse(shop(5))
        file = id_of(app, Kind.FILE, "README.md", page="")

        assert refusal(app, file, value={}) == EditRule.NO_JSON


class TestRemove:
    @FORMATS
    def test_a_container_takes_its_inside_along(self, format_version: int) -> None:
        app = parse(shop(format_version))

        edited = remove_entity(app, id_of(app, Kind.WIDGET, "Box"))

        gone = {name for change, name in changes(app, edited) if change == "removed"}
        assert {"Box", "Title", "title", "Form1", "Save ✓"} <= gone
        assert len(edited.removed) == len(gone)
        assert edited.app.counts["page"] == app.counts["page"]

    def test_a_query_takes_along_what_somebody_put_into_its_folder(self) -> None:
        app = parse(shop(5))
        query = id_of(app, Kind.QUERY, "List orders", "Home")
        entity = next(one for one in app if one.entity_id == query)
        folder = entity.path.rpartition("/")[0]
        section = app.sections[entity.section].with_files({f"{folder}/why.md": b"because"})

        after = remove_entity(app.with_sections([section]), query).app

        assert not [path for path in after.files if path.startswith(folder + "/")]
        assert len(list(after)) == len(list(app)) - 1

    @FORMATS
    def test_a_script_takes_its_functions_along(self, format_version: int) -> None:
        app = parse(shop(format_version))

        edited = remove_entity(app, id_of(app, Kind.SCRIPT, "utils"))

        assert sorted(changes(app, edited)) == [
            ("removed", "label"),
            ("removed", "total"),
            ("removed", "utils"),
        ]

    @FORMATS
    def test_a_page_goes_with_all_and_another_becomes_the_default(
        self, format_version: int
    ) -> None:
        app = parse(shop(format_version))

        edited = remove_entity(app, id_of(app, Kind.PAGE, "Home"))

        assert not [path for path in edited.app.files if path.startswith("pages/Home/")]
        application = json.loads(edited.app.files["application.json"])
        assert application["pages"][0] == {"id": "Orders _ Returns", "isDefault": True}
        assert application["nobodyKnowsThisField"]["big"] == 2**70
        assert parse(edited.app.tree()).counts["page"] == 11

    @FORMATS
    def test_refuses_what_an_app_needs(self, format_version: int) -> None:
        app = parse(shop(format_version, copies=0))
        while app.counts["page"] > 1:
            app = remove_entity(app, next(e.entity_id for e in app if e.kind is Kind.PAGE)).app
        needed = [e for e in app if e.kind in (Kind.PAGE, Kind.APP, Kind.THEME, Kind.METADATA)]

        for entity in needed:
            with pytest.raises(EditRefused):
                remove_entity(app, entity.entity_id)
        if format_version == 4:
            with pytest.raises(EditRefused):
                remove_entity(app, id_of(app, Kind.WIDGET, "MainContainer", needed[-1].page))
