"""Bundles: what browsers get, and what they never get."""

import hashlib
import json

import pytest

from services.studio.appsmith import (
    Bundle,
    BundleFile,
    NotPublishable,
    bundle,
    new_app,
    parse,
)
from tests.samples.shop import query_bodies, shop
from tests.services.studio.appsmith.zips import HONEST

FORMATS = pytest.mark.parametrize("format_version", [2, 3, 4, 5])


def document(made: Bundle, path: str) -> dict[str, object]:
    (file,) = (file for file in (*made.public, *made.private) if file.path == path)
    value: dict[str, object] = json.loads(file.content)
    return value


def all_bytes(files: tuple[BundleFile, ...]) -> str:
    return "\n".join(file.path + file.content.decode() for file in files)


class TestPublicPart:
    @FORMATS
    def test_holds_no_query_body_and_no_datasource(self, format_version: int) -> None:
        files = shop(format_version)

        made = bundle(parse(files))

        public = all_bytes(made.public)
        bodies = query_bodies(shop(max(format_version, 4)))
        assert len(bodies) == 36
        for body in bodies:
            assert body not in public
            assert json.dumps(body, ensure_ascii=False)[1:-1] not in public
            assert body[:14] not in public
        for secret in ("secretFilter", "of an older day", "ledger", "main db", "actionConfig"):
            assert secret not in public
        private = all_bytes(made.private)
        assert "secretFilter" in private
        assert "ledger.internal" in private

    @FORMATS
    def test_names_queries_and_what_runs_on_load(self, format_version: int) -> None:
        made = bundle(parse(shop(format_version)))

        page = document(made, "pages/Home/page.json")

        names = ["List orders", "NoBody", "OnlyText", "SaveOrder"]
        assert [q["name"] for q in page["queries"]] == names  # type: ignore[attr-defined]
        ((on_load,),) = page["layouts"][0]["onLoad"]  # type: ignore[index]
        assert on_load["name"] == "List orders"
        assert "jsonPathKeys" not in on_load

    @FORMATS
    def test_has_the_whole_tree_of_widgets(self, format_version: int) -> None:
        made = bundle(parse(shop(format_version)))

        page = document(made, "pages/Home/page.json")

        found, pending = [], [page["layouts"][0]["dsl"]]  # type: ignore[index]
        while pending:
            node = pending.pop()
            found.append(node["widgetName"])
            pending += node.get("children", [])
        assert len(found) == 12 + 1 + 4
        assert {"MainContainer", "Text1", "text1", "Save ✓", "In tab: two"} <= set(found)

    @FORMATS
    def test_has_scripts_as_they_are(self, format_version: int) -> None:
        files = shop(max(format_version, 3))
        made = bundle(parse(shop(format_version)))

        (file,) = (f for f in made.public if f.path == "pages/home/scripts/utils.js")

        assert file.content == files["pages/home/jsobjects/utils/utils.js"]
        assert file.content_type == "text/javascript; charset=utf-8"

    def test_begins_with_a_manifest_in_the_order_of_the_pages(self) -> None:
        made = bundle(parse(shop(5, copies=0)))

        manifest = document(made, made.entry)

        pages = manifest["pages"]
        assert isinstance(pages, list)
        assert [p["name"] for p in pages[:3]] == ["Orders / Returns", "Home", "home"]
        assert [p["name"] for p in pages if p["default"]] == ["Home"]
        listed = {f["path"]: f["digest"] for f in manifest["files"]}  # type: ignore[attr-defined]
        assert listed == {f.path: f.digest for f in made.public if f.path != made.entry}


class TestFiles:
    @FORMATS
    def test_are_sorted_named_once_and_digested(self, format_version: int) -> None:
        made = bundle(parse(shop(format_version)))

        for part in (made.public, made.private):
            paths = [file.path for file in part]
            assert paths == sorted(set(paths))
            assert all(hashlib.sha256(f.content).hexdigest() == f.digest for f in part)

    @FORMATS
    def test_are_the_same_for_the_same_app(self, format_version: int) -> None:
        files = shop(format_version)

        assert bundle(parse(files)) == bundle(parse(dict(reversed(files.items()))))

    def test_of_the_starter_app(self) -> None:
        made = bundle(new_app("Shop"))

        assert [f.path for f in made.public] == [
            "manifest.json",
            "pages/Home/page.json",
            "theme.json",
        ]
        assert made.private == ()
        assert "Welcome to Shop" in all_bytes(made.public)


class TestRefusals:
    def test_an_app_without_pages(self) -> None:
        files = {"application.json": b"{}", "metadata.json": b'{"fileFormatVersion": 5}'}

        with pytest.raises(NotPublishable):
            bundle(parse(files))

    def test_widgets_inside_of_each_other(self) -> None:
        page = b'{"unpublishedPage": {"name": "Home", "layouts": [{"dsl": {"widgetId": "0"}}]}}'
        ring = {
            "pages/Home/Home.json": page,
            "pages/Home/widgets/A.json": b'{"widgetId": "a", "parentId": "b"}',
            "pages/Home/widgets/B.json": b'{"widgetId": "b", "parentId": "a"}',
        }

        with pytest.raises(NotPublishable, match="inside of itself"):
            bundle(parse(HONEST | ring))

    def test_widgets_without_a_canvas(self) -> None:
        with pytest.raises(NotPublishable, match="no canvas"):
            bundle(parse(HONEST | {"pages/Home/widgets/A.json": b"{}"}))

    def test_a_tower_of_widgets(self) -> None:
        page = b'{"unpublishedPage": {"layouts": [{"dsl": {"widgetId": "0"}}]}}'
        tower = {
            f"pages/Home/widgets/{i}.json": b'{"widgetId": "%d", "parentId": "%d"}' % (i, i - 1)
            for i in range(1, 3000)
        }

        with pytest.raises(NotPublishable):
            bundle(parse(HONEST | {"pages/Home/Home.json": page} | tower))
