"""Reading a source tree: what is found in it, what is refused, and that nothing is lost."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.studio.appsmith import App, Entity, ImportRefused, Kind, Rule, export, parse
from tests.samples.shop import shop
from tests.services.studio.appsmith.zips import HONEST


def refusal(files: dict[str, bytes]) -> ImportRefused:
    with pytest.raises(ImportRefused) as refused:
        parse(files)
    return refused.value


def only(app: App, kind: Kind, name: str, page: str = "") -> Entity:
    (found,) = (e for e in app if (e.kind, e.name, e.page) == (kind, name, page))
    return found


class TestCounts:
    def test_of_the_sample_in_format_5(self) -> None:
        app = parse(shop(5))

        assert app.format_version == 5
        assert app.counts == {
            "app": 1,
            "page": 12,
            "widget": 144,
            "query": 48,
            "script": 24,
            "script_function": 48,
            "datasource": 2,
            "library": 1,
            "theme": 1,
            "metadata": 1,
            "file": 5,
        }

    def test_of_the_sample_in_format_4_have_roots_and_canvases_too(self) -> None:
        app = parse(shop(4))

        assert app.format_version == 4
        assert app.counts == parse(shop(5)).counts | {"widget": 144 + 12 * (1 + 4)}


class TestEntities:
    @pytest.mark.parametrize("format_version", [2, 3, 4, 5])
    def test_have_ids_of_their_own_even_where_names_are_twins(self, format_version: int) -> None:
        entities = list(parse(shop(format_version)))

        assert len({e.entity_id for e in entities}) == len(entities)

    @pytest.mark.parametrize("format_version", [2, 3, 4, 5])
    def test_have_the_same_ids_and_digests_each_time(self, format_version: int) -> None:
        files = shop(format_version)

        assert list(parse(files)) == list(parse(dict(reversed(files.items()))))

    def test_names_come_from_inside_and_places_from_the_folder(self) -> None:
        app = parse(shop(5))

        page = only(app, Kind.PAGE, "Orders / Returns", "Orders _ Returns")

        assert page.entity_id == "page:pages/Orders _ Returns"
        assert page.fields == {"slug": "page-0", "hidden": False}

    @pytest.mark.parametrize("format_version", [2, 3, 4, 5])
    def test_widgets_know_their_container(self, format_version: int) -> None:
        app = parse(shop(format_version))

        chain = [only(app, Kind.WIDGET, "Save ✓", "Home")]
        while chain[-1].parent_id:
            parent = next(e for e in app if e.entity_id == chain[-1].parent_id)
            chain.append(parent)

        tree = ["Canvas c-form", "Form1", "Canvas c-box", "Box", "MainContainer"]
        around = ["Form1", "Box"] if format_version == 5 else tree
        assert [e.name for e in chain] == ["Save ✓", *around]

    def test_functions_know_their_script(self) -> None:
        app = parse(shop(5))

        functions = [e for e in app if e.kind is Kind.SCRIPT_FUNCTION and e.page == "home"]

        assert {e.parent_id.rpartition("/")[2] for e in functions} == {"Utils", "utils"}
        assert all(e.parent_id.startswith("script:pages/home/") for e in functions)

    def test_have_small_fields_to_search_by(self) -> None:
        app = parse(shop(5))

        query = only(app, Kind.QUERY, "List orders", "Home")
        widget = only(app, Kind.WIDGET, "Table1", "Home")

        assert query.fields == {
            "plugin": "postgres-plugin",
            "datasource": "main db",
            "on_load": True,
        }
        assert widget.fields == {"type": "TABLE_WIDGET_V2", "widget_id": "table"}

    def test_no_nul_leaves_the_json(self) -> None:
        page = b'{"unpublishedPage": {"name": "a\\u0000b", "slug": "\\u0000"}}'

        app = parse(HONEST | {"pages/Home/Home.json": page})

        assert only(app, Kind.PAGE, "a\ufffdb", "Home").fields == {"slug": "\ufffd"}

    def test_of_one_canvas_change_one_by_one(self) -> None:
        files = shop(4)
        path = "pages/Home/canvas.json"
        canvas = json.loads(files[path])
        canvas["unpublishedPage"]["layouts"][0]["dsl"]["children"][0]["text"] = "other"

        before = {e.entity_id: e.digest for e in parse(files)}
        after = {e.entity_id: e.digest for e in parse(files | {path: json.dumps(canvas).encode()})}

        assert before.keys() == after.keys()
        assert [i for i in before if before[i] != after[i]] == [f"widget:{path}#text1"]


class TestRefusals:
    @pytest.mark.parametrize("path", ["application.json", "metadata.json"])
    def test_missing_files_are_named(self, path: str) -> None:
        found = refusal({p: c for p, c in HONEST.items() if p != path})

        assert (found.rule, found.path) == (Rule.MISSING_FILE, path)

    @pytest.mark.parametrize(("version", "file"), [(5, "Home.json"), (4, "canvas.json")])
    def test_a_listed_page_without_a_file_is_named(self, version: int, file: str) -> None:
        files = {
            "application.json": HONEST["application.json"],
            "metadata.json": b'{"fileFormatVersion": %d}' % version,
        }

        found = refusal(files)

        assert (found.rule, found.path) == (Rule.MISSING_FILE, f"pages/Home/{file}")

    @pytest.mark.parametrize("folder", ["queries/Q", "jsobjects/O"])
    def test_a_body_without_metadata_is_named(self, folder: str) -> None:
        found = refusal(HONEST | {f"pages/Home/{folder}/Q.txt": b"SELECT 1"})

        assert found.rule == Rule.MISSING_FILE
        assert found.path == f"pages/Home/{folder}/metadata.json"

    @pytest.mark.parametrize(
        "path",
        [
            "application.json",
            "metadata.json",
            "theme.json",
            "datasources/db.json",
            "jslibs/lib.json",
            "pages/Home/Home.json",
            "pages/Home/widgets/Box/Text.json",
            "pages/Home/queries/Q/metadata.json",
            "pages/Home/jsobjects/O/metadata.json",
        ],
    )
    @pytest.mark.parametrize(
        "content",
        [b"{", b"", b"[]", b'"text"', b'{"a": "\xff"}', b'{"a": NaN}', b"[" * 2000, b"{} x"],
    )
    def test_broken_json_is_named(self, path: str, content: bytes) -> None:
        found = refusal(HONEST | {path: content})

        assert (found.rule, found.path) == (Rule.BROKEN_JSON, path)

    @pytest.mark.parametrize("version", ["1", "0", "6", '"5"', "true", "null", "5.5", "[5]"])
    def test_other_formats_are_named(self, version: str) -> None:
        found = refusal(HONEST | {"metadata.json": b'{"fileFormatVersion": %s}' % version.encode()})

        assert (found.rule, found.path) == (Rule.UNSUPPORTED_FORMAT, "metadata.json")

    def test_a_canvas_of_too_many_widgets_is_named(self) -> None:
        children = ", ".join(["{}"] * 100_001)
        canvas = f'{{"unpublishedPage": {{"layouts": [{{"dsl": {{"children": [{children}]}}}}]}}}}'
        files = HONEST | {
            "metadata.json": b'{"fileFormatVersion": 4}',
            "pages/Home/canvas.json": canvas.encode(),
        }

        assert refusal(files).rule == Rule.TOO_MANY_ENTITIES

    def test_too_large_a_json_is_named(self) -> None:
        found = refusal(HONEST | {"theme.json": b" " * (17 * 1024 * 1024) + b"{}"})

        assert (found.rule, found.path) == (Rule.ENTRY_TOO_LARGE, "theme.json")


class TestNothingIsLost:
    @pytest.mark.parametrize("format_version", [2, 3, 4, 5])
    def test_of_the_sample(self, format_version: int) -> None:
        files = shop(format_version)

        assert dict(export(parse(files))) == files

    def test_of_files_that_nobody_knows(self) -> None:
        strange = {
            "pages/loose.json": b"not { json",
            "pages/Home/widgets/readme.md": b"# x",
            "pages/Home/queries/flat.json": b"[",
            "pages/Home/queries/Q/deep/er/x": b"",
            "pages/Nowhere/queries/x.bin": b"\x00\xff",
            "datasources/note.txt": b"hello",
            "big.bin": bytes(range(256)) * 8192,
        }

        app = parse(HONEST | strange)

        assert dict(export(app)) == HONEST | strange
        assert {e.path for e in app if e.kind is Kind.FILE} == set(strange)

    def test_of_odd_shapes_inside(self) -> None:
        odd = {
            "pages/Home/Home.json": b'{"unpublishedPage": [], "layouts": 3}',
            "pages/Home/widgets/A.json": b'{"children": {"x": 1}, "parentId": 7, "widgetId": []}',
            "pages/Home/widgets/B.json": b'{"children": [1, null, {"children": [[]]}]}',
            "pages/Home/queries/Q/metadata.json": b'{"unpublishedAction": {"name": 5}}',
            "pages/Home/jsobjects/O/metadata.json": b'{"unpublishedCollection": null}',
        }

        app = parse(HONEST | odd)

        assert dict(export(app)) == HONEST | odd


names = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"),
    min_size=1,
    max_size=12,
).filter(lambda name: name not in (".", "..", ".git"))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(
    names
    | st.sampled_from(["widgetId", "widgetName", "parentId", "children", "type", "pluginId"])
    | st.sampled_from(["unpublishedPage", "unpublishedAction", "unpublishedCollection", "pages"]),
    values,
    max_size=6,
).filter(lambda value: not isinstance(value.get("pages"), list))


@st.composite
def trees(draw: st.DrawFn) -> dict[str, bytes]:
    """Apps of any content in which every file is at a place that git sync would use."""
    version = draw(st.sampled_from([4, 5]))
    files = {
        "application.json": json.dumps(draw(objects)).encode("utf-8"),
        "metadata.json": b'{"fileFormatVersion": %d}' % version,
    }
    places = [
        "pages/{a}/{a}.json",
        "pages/{a}/canvas.json",
        "pages/{a}/widgets/{b}.json",
        "pages/{a}/widgets/{b}/{c}.json",
        "pages/{a}/queries/{b}/metadata.json",
        "pages/{a}/jsobjects/{b}/metadata.json",
        "datasources/{a}.json",
        "jslibs/{b}.json",
        "theme.json",
    ]
    for place in draw(st.lists(st.sampled_from(places), max_size=8)):
        path = place.format(a=draw(names), b=draw(names), c=draw(names))
        files[path] = json.dumps(draw(objects)).encode()
    for path in draw(st.lists(names, max_size=3)):
        files.setdefault(path, draw(st.binary(max_size=20)))
    return files


@pytest.mark.thorough
@settings(max_examples=150, deadline=None)
@given(trees())
def test_any_app_comes_back_byte_for_byte(files: dict[str, bytes]) -> None:
    app = parse(files)

    assert dict(export(app)) == files
    ids = [entity.entity_id for entity in app]
    assert len(set(ids)) == len(ids)
    assert {path for entity in app for path in entity.paths} == set(files)
