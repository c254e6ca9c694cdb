"""New entities, in both formats."""

from typing import Any

import pytest

from services.studio.appsmith import EditRefused, EditRule, Kind, add_entity, parse, remove_entity
from tests.samples.shop import shop
from tests.services.studio.appsmith.edits import changes, id_of, source, value

FORMATS = pytest.mark.parametrize("format_version", [2, 3, 4, 5])


class TestAdd:
    @FORMATS
    @pytest.mark.parametrize("kind", [Kind.QUERY, Kind.SCRIPT])
    def test_a_query_or_script_in_the_files_of_its_format(
        self, format_version: int, kind: Kind
    ) -> None:
        app = parse(shop(format_version))

        edited = add_entity(app, kind, name="One", page="Home", text="export default {}")

        assert changes(app, edited) == [("added", "One")]
        assert source(edited.app, edited.entity.entity_id).text == "export default {}"
        whole = format_version == 2 or (format_version == 3 and kind is Kind.QUERY)
        assert len(edited.app.files) == len(app.files) + (1 if whole else 2)
        assert edited.entity.path.endswith("/One.json" if whole else "/One/metadata.json")

    @FORMATS
    def test_a_widget_to_the_page(self, format_version: int) -> None:
        app = parse(shop(format_version))
        given = {"type": "TEXT_WIDGET", "text": "hi"}

        edited = add_entity(app, Kind.WIDGET, name="Note: ☕/1", page="home", value=given)

        added = [name for change, name in changes(app, edited) if change == "added"]
        assert added == ["Note: ☕/1"]
        own = value(edited.app, edited.entity.entity_id)
        assert (own["text"], own["parentId"], own["widgetName"]) == ("hi", "0", "Note: ☕/1")

    @FORMATS
    def test_a_widget_to_a_container(self, format_version: int) -> None:
        app = parse(shop(format_version))
        box = id_of(app, Kind.WIDGET, "Box")

        edited = add_entity(
            app, Kind.WIDGET, name="Inside", page="Home", parent_id=box, value={"type": "X"}
        )

        assert value(edited.app, edited.entity.entity_id)["parentId"] == "c-box"
        after = remove_entity(edited.app, box)
        assert edited.entity.entity_id in after.removed

    @FORMATS
    def test_a_container_and_something_in_it(self, format_version: int) -> None:
        app = parse(shop(format_version))
        canvas = {"type": "CANVAS_WIDGET", "widgetId": "c-new", "widgetName": "c"}
        given = {"type": "CONTAINER_WIDGET", "children": [canvas]}

        box = add_entity(app, Kind.WIDGET, name="New", page="Home", value=given)
        inside = add_entity(
            box.app,
            Kind.WIDGET,
            name="In",
            page="Home",
            parent_id=box.entity.entity_id,
            value={"type": "TEXT_WIDGET"},
        )

        assert value(inside.app, inside.entity.entity_id)["parentId"] == "c-new"
        assert inside.entity.entity_id in remove_entity(inside.app, box.entity.entity_id).removed

    @FORMATS
    @pytest.mark.parametrize("kind", ["CONTAINER_WIDGET", "FORM_WIDGET", "MODAL_WIDGET"])
    def test_a_box_of_which_no_more_is_said_takes_widgets(
        self, format_version: int, kind: str
    ) -> None:
        app = parse(shop(format_version))

        box = add_entity(app, Kind.WIDGET, name="New", page="Home", value={"type": kind})
        inside = add_entity(
            box.app,
            Kind.WIDGET,
            name="In",
            page="Home",
            parent_id=box.entity.entity_id,
            value={"type": "TEXT_WIDGET"},
        )

        assert inside.entity.entity_id in remove_entity(inside.app, box.entity.entity_id).removed

    @FORMATS
    def test_a_query_and_a_script(self, format_version: int) -> None:
        app = parse(shop(format_version))
        given = {"pluginId": "postgres-plugin"}

        query = add_entity(
            app, Kind.QUERY, name="Ask / 1", page="Home", value=given, text="SELECT 1"
        )
        script = add_entity(query.app, Kind.SCRIPT, name="Tools", page="Home")

        assert changes(app, script) == [("added", "Ask / 1"), ("added", "Tools")]
        assert query.entity.fields["plugin"] == "postgres-plugin"
        assert source(script.app, query.entity.entity_id).text == "SELECT 1"
        assert source(script.app, script.entity.entity_id).text == "export default {\n}"

    @FORMATS
    def test_a_page_and_a_widget_on_it(self, format_version: int) -> None:
        app = parse(shop(format_version))

        page = add_entity(app, Kind.PAGE, name="Bills / ☕")
        widget = add_entity(
            page.app, Kind.WIDGET, name="W", page=page.entity.page, value={"type": "TEXT_WIDGET"}
        )

        again = parse(widget.app.tree())
        assert again.counts["page"] == 13
        assert page.entity.fields["slug"] == "bills"
        assert widget.entity.entity_id in {e.entity_id for e in again}

    def test_a_datasource_without_its_credentials(self) -> None:
        app = parse(shop(5))

        edited = add_entity(app, Kind.DATASOURCE, name="mail/1", value={"pluginId": "smtp-plugin"})

        assert changes(app, edited) == [("added", "mail/1")]
        with pytest.raises(EditRefused) as refused:
            add_entity(app, Kind.DATASOURCE, name="d", value={"a": [{"apiKey": "k"}]})
        assert refused.value.rule == EditRule.CREDENTIAL
        assert "k'" not in str(refused.value)

    def test_names_that_differ_in_their_slash_get_files_of_their_own(self) -> None:
        app = parse(shop(5))
        given = {"type": "TEXT_WIDGET"}

        for name in ("a/b", "a_b", "a\\b"):
            app = add_entity(app, Kind.WIDGET, name=name, page="Home", value=given).app

        again = parse(app.tree())
        assert {"a/b", "a_b", "a\\b"} <= {e.name for e in again if e.page == "Home"}

    @FORMATS
    def test_refuses_what_can_not_be(self, format_version: int) -> None:
        app = parse(shop(format_version))
        text = {"type": "TEXT_WIDGET"}

        def rule(kind: Kind, name: str, **given: Any) -> EditRule:
            with pytest.raises(EditRefused) as refused:
                add_entity(app, kind, name=name, **given)
            return refused.value.rule

        assert rule(Kind.WIDGET, "Utils", page="Home", value=text) == EditRule.NAME_TAKEN
        assert rule(Kind.PAGE, "Home") == EditRule.NAME_TAKEN
        assert rule(Kind.PAGE, " ") == EditRule.NAME_INVALID
        assert rule(Kind.QUERY, "Q", page="Nowhere") == EditRule.PAGE_UNKNOWN
        assert rule(Kind.WIDGET, "W", page="Home") == EditRule.TYPE_MISSING
        taken = {**text, "widgetId": "text1"}
        assert rule(Kind.WIDGET, "W", page="Home", value=taken) == EditRule.ID_TAKEN
        inside = {"page": "Home", "value": text, "parent_id": "widget:none"}
        assert rule(Kind.WIDGET, "W", **inside) == EditRule.UNKNOWN_ENTITY
        assert rule(Kind.THEME, "T") == EditRule.NOT_ADDABLE
        leaf = id_of(app, Kind.WIDGET, "Text1")
        inside = {"page": "Home", "value": text, "parent_id": leaf}
        assert rule(Kind.WIDGET, "W", **inside) == EditRule.NOT_A_CONTAINER
