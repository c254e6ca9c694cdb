"""Moves: within a page nothing breaks, to another one all that does is told."""

import json

import pytest

from services.studio.appsmith import EditRefused, EditRule, parse
from services.studio.references.breaks import Effect
from services.studio.references.delete import delete
from services.studio.references.move import Target, move
from tests.services.studio.references.small_app import an_app, json_of, named, runs_of

FORMATS = (4, 5)


@pytest.mark.parametrize("version", FORMATS)
def test_a_widget_goes_to_another_tab_with_all_that_is_inside(version: int) -> None:
    app = an_app(version)
    tabs = named(app, "Tabs1").entity_id

    done = move(app, named(app, "List1").entity_id, Target(parent_id=tabs, canvas_id="canvas1"))

    assert json_of(done.app, "List1") == {**json_of(app, "List1"), "parentId": "canvas1"}
    assert done.breaks == ()
    assert done.app.counts == app.counts


@pytest.mark.parametrize("version", FORMATS)
def test_out_of_its_container_and_back_is_as_before(version: int) -> None:
    app = an_app(version)
    tabs, listed = named(app, "Tabs1"), named(app, "List1")
    place = 0 if version == 4 else None

    out = move(app, listed.entity_id, Target())
    home = Target(parent_id=tabs.entity_id, canvas_id="canvas2", place=place)
    back = move(out.app, out.entity.entity_id, home)

    assert json_of(out.app, "List1")["parentId"] == "0"
    assert named(out.app, "Title").parent_id != named(app, "Title").parent_id or version == 4
    assert back.app.files == app.files
    assert back.entity.entity_id == listed.entity_id
    if version == 5:
        assert out.entity.path == "pages/P/widgets/List1/List1.json"
        assert named(out.app, "Title").path == "pages/P/widgets/List1/Title.json"


@pytest.mark.parametrize("version", FORMATS)
def test_on_another_page_names_mean_other_things(version: int) -> None:
    app = an_app(version)

    done = move(app, named(app, "List1").entity_id, Target("Q"))

    told = {(one.effect, one.entity_id, one.name) for one in done.breaks}
    title, loose = named(app, "Title").entity_id, named(app, "Loose").entity_id
    assert told == {
        (Effect.DANGLING, title, "fetchAll"),
        (Effect.DANGLING, title, "Tabs1"),
        (Effect.REBOUND, title, "Loose"),
        (Effect.DANGLING, loose, "Title"),
    }
    assert named(done.app, "Title", "Q").parent_id
    assert json_of(done.app, "Title", "Q") == json_of(app, "Title")


@pytest.mark.parametrize("version", FORMATS)
def test_what_meant_nobody_and_texts_that_are_a_name_are_told(version: int) -> None:
    app = an_app(version)

    done = move(app, named(app, "Tabs1").entity_id, Target("Q"))

    told = {(one.effect, one.entity_id, one.name) for one in done.breaks}
    link, loose = named(app, "Link", "Q").entity_id, named(app, "Loose").entity_id
    assert (Effect.REBOUND, link, "Tabs1") in told
    assert (Effect.MENTION, loose, "Tabs1") in told
    (place,) = (one for one in done.breaks if one.effect is Effect.MENTION)
    assert (place.path, place.start, place.end) == (("onClick",), 14, 19)


@pytest.mark.parametrize("version", FORMATS)
def test_canvases_and_ids_that_are_there_give_way(version: int) -> None:
    app = an_app(version)
    there = move(app, named(app, "Tabs1").entity_id, Target("Q"))

    tabs = json_of(there.app, "Tabs1", "Q")
    assert [one["widgetName"] for one in tabs["children"]] == ["Canvas1Copy", "Canvas2"]
    assert [one["widgetId"] for one in tabs["children"]] != ["canvas1", "canvas2"]
    assert tabs["tabsObj"]["a"]["widgetId"] == tabs["children"][0]["widgetId"]
    assert json_of(there.app, "List1", "Q")["parentId"] == "canvas2"


@pytest.mark.parametrize("version", FORMATS)
def test_a_script_goes_with_its_functions_and_what_runs_them(version: int) -> None:
    app = an_app(version)

    there = move(app, named(app, "Utils").entity_id, Target("Q"))
    back = move(there.app, there.entity.entity_id, Target("P"))

    function = json_of(there.app, "sum", "Q")
    assert function["id"] == "Q_Utils.sum"
    assert function["unpublishedAction"]["pageId"] == "Q"
    assert function["unpublishedAction"]["collectionId"] == "Q_Utils"
    assert (runs_of(there.app), runs_of(there.app, "Q")) == ([["fetchAll"]], [["Utils.sum"]])
    assert runs_of(back.app) == [["fetchAll", "Utils.sum"]]
    changed = {"Utils": "P", "sum": "P", "P": "P", "Q": "Q"}
    assert set(there.changed) == {named(app, *one).entity_id for one in changed.items()}


@pytest.mark.parametrize("version", FORMATS)
def test_a_query_that_runs_in_the_last_round_comes_back_as_it_was(version: int) -> None:
    app = an_app(version)
    app = delete(app, named(app, "Utils").entity_id).app

    there = move(app, named(app, "fetchAll").entity_id, Target("Q"))
    back = move(there.app, there.entity.entity_id, Target("P"))

    assert json_of(there.app, "fetchAll", "Q")["id"] == "Q_fetchAll"
    assert back.app.files == app.files


@pytest.mark.parametrize("version", FORMATS)
@pytest.mark.parametrize(
    ("name", "target", "rule"),
    [
        ("Loose", Target("Q"), EditRule.NAMES_TAKEN),
        ("Loose", Target("Nowhere"), EditRule.PAGE_UNKNOWN),
        ("Loose", Target(parent_id="widget:nowhere"), EditRule.UNKNOWN_ENTITY),
        ("sum", Target("Q"), EditRule.NOT_MOVABLE),
        ("P", Target("Q"), EditRule.NOT_MOVABLE),
    ],
)
def test_what_cannot_be_is_refused(version: int, name: str, target: Target, rule: EditRule) -> None:
    app = an_app(version)

    with pytest.raises(EditRefused) as refused:
        move(app, named(app, name).entity_id, target)

    assert refused.value.rule is rule


@pytest.mark.parametrize("version", FORMATS)
def test_a_script_takes_in_no_functions_that_another_left(version: int) -> None:
    app = an_app(version)
    content = app.files["pages/P/queries/Utils-sum/metadata.json"]
    other = app.sections["page:Q"].with_files({"pages/Q/queries/x/metadata.json": content})

    with pytest.raises(EditRefused) as refused:
        move(app.with_sections([other]), named(app, "Utils").entity_id, Target("Q"))

    assert (refused.value.rule, refused.value.detail) == (EditRule.NAMES_TAKEN, "Utils")


@pytest.mark.parametrize("version", FORMATS)
@pytest.mark.parametrize("into", ["Tabs1", "List1"])
def test_nothing_goes_into_itself(version: int, into: str) -> None:
    app = an_app(version)
    target = Target(parent_id=named(app, into).entity_id)

    with pytest.raises(EditRefused) as refused:
        move(app, named(app, "Tabs1").entity_id, target)

    assert refused.value.rule is EditRule.INSIDE_ITSELF


@pytest.mark.parametrize("version", FORMATS)
def test_a_widget_without_a_canvas_holds_nothing(version: int) -> None:
    app = an_app(version)

    with pytest.raises(EditRefused) as refused:
        move(app, named(app, "Close").entity_id, Target(parent_id=named(app, "Loose").entity_id))

    assert refused.value.rule is EditRule.NOT_A_CONTAINER


@pytest.mark.parametrize(("children", "rule"), [(None, None), ({"a": 1}, EditRule.NOT_A_CONTAINER)])
def test_a_canvas_of_a_tree_may_have_no_list(children: object, rule: EditRule | None) -> None:
    app = an_app(4)
    tabs, path = named(app, "Tabs1").entity_id, "pages/P/canvas.json"
    page = json.loads(app.files[path])
    page["unpublishedPage"]["layouts"][0]["dsl"]["children"][0]["children"][0]["children"] = (
        children
    )
    app = parse({**app.files, path: json.dumps(page).encode()})
    loose = named(app, "Loose").entity_id

    if rule is None:
        done = move(app, loose, Target(parent_id=tabs))
        assert json_of(done.app, "Canvas1")["children"] == [json_of(done.app, "Loose")]
    else:
        with pytest.raises(EditRefused) as refused:
            move(app, loose, Target(parent_id=tabs))
        assert refused.value.rule is rule


@pytest.mark.parametrize("name", ["Canvas1", "MainContainer"])
def test_a_canvas_belongs_to_what_is_around_it(name: str) -> None:
    app = an_app(4)

    with pytest.raises(EditRefused) as refused:
        move(app, named(app, name).entity_id, Target("Q"))

    assert refused.value.rule is EditRule.NOT_MOVABLE


@pytest.mark.parametrize("version", FORMATS)
def test_a_deletion_tells_who_is_left_without(version: int) -> None:
    app = an_app(version)

    page = delete(app, named(app, "P").entity_id)
    datasource = delete(app, "datasource:datasources/Stock.json")
    query = delete(app, named(app, "fetchAll").entity_id)

    (link,) = page.breaks
    assert (link.effect, link.entity_id) == (Effect.MENTION, named(app, "Link", "Q").entity_id)
    (user,) = datasource.breaks
    assert (user.effect, user.entity_id) == (Effect.DATASOURCE, named(app, "fetchAll").entity_id)
    (title,) = query.breaks
    assert (title.effect, title.entity_id) == (Effect.DANGLING, named(app, "Title").entity_id)
    assert runs_of(query.app) == [["Utils.sum"]]
    assert json.loads(page.app.files["application.json"])["pages"] == [
        {"id": "Q", "isDefault": True}
    ]


def test_the_second_of_two_with_one_id_is_the_one_that_moves() -> None:
    app = an_app(4)
    content = app.files["pages/P/canvas.json"].replace(
        b'"widgetId": "close"', b'"widgetId": "loose"'
    )
    app = app.with_sections([app.sections["page:P"].with_files({"pages/P/canvas.json": content})])
    second = named(app, "Loose")

    done = move(app, second.entity_id, Target(place=0))

    assert second.entity_id.endswith("#loose~2")
    assert (done.entity.name, done.entity.entity_id) == ("Loose", f"widget:{second.path}#loose")


@pytest.mark.parametrize(
    ("library", "name"),
    [({"name": "money"}, "money"), ({"name": "xlsx", "accessor": ["SSF", "XLSX"]}, "XLSX")],
)
def test_a_deleted_library_leaves_code_of_all_pages_without_it(
    library: dict[str, object], name: str
) -> None:
    app = an_app(5)
    code = f"{{{{ {name}.x + moment.x + Q.data.map({name} => {name}) }}}}"
    link = {**json_of(app, "Link", "Q"), "x": code}
    more = {"pages/Q/widgets/Link.json": link, "jslibs/l.json": library}
    app = parse(app.files | {path: json.dumps(one).encode() for path, one in more.items()})

    done = delete(app, "library:jslibs/l.json")

    (place,) = done.breaks
    assert (place.effect, place.entity_id) == (Effect.DANGLING, named(app, "Link", "Q").entity_id)
    assert (place.name, place.path, place.start) == (name, ("x",), 3)


@pytest.mark.parametrize("version", FORMATS)
@pytest.mark.parametrize("moved", ["fetchAll", "Utils"])
def test_ids_are_made_of_the_name_of_a_page_whose_folder_is_called_otherwise(
    version: int, moved: str
) -> None:
    app = an_app(version)
    path = named(app, "Q", "Q").path
    page = json.loads(app.files[path])
    page["unpublishedPage"]["name"] = "Q / R"
    app = parse(app.files | {path: json.dumps(page, indent=2).encode()})

    there = move(app, named(app, moved).entity_id, Target("Q"))
    back = move(there.app, there.entity.entity_id, Target("P"))

    told = json_of(there.app, moved, "Q")
    (inner,) = (one for key, one in told.items() if key.startswith("unpublished"))
    assert (told["id"], inner["pageId"]) == (f"Q / R_{moved}", "Q / R")
    assert (runs_of(app, "Q"), back.app.files[path]) == ([], app.files[path])
    assert json_of(back.app, moved) == json_of(app, moved)
