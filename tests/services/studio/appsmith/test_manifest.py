"""Packs, manifests and differences: what a revision is stored as."""

import os
import zlib

import pytest

from services.studio.appsmith import (
    App,
    Change,
    Manifest,
    PackBroken,
    PackedApp,
    Section,
    SourceTree,
    changed_sections,
    diff,
    pack_app,
    pack_section,
    parse,
    section_packs,
    unpack_section,
)
from services.studio.appsmith.packs import PACK_BYTES_MAX
from tests.samples.shop import shop
from tests.services.studio.appsmith.zips import HONEST

WIDGET = "pages/Home/widgets/Text1.json"


def unpacked(packed: PackedApp) -> App:
    bodies = {pack.digest: pack.body for pack in packed.packs}
    version = packed.manifest.format_version
    sections = [
        unpack_section(s.name, version, [(digest, bodies[digest]) for digest in s.packs])
        for s in packed.manifest.sections
    ]
    return App(version, {section.name: section for section in sections})


class TestPacks:
    @pytest.mark.parametrize("format_version", [4, 5])
    def test_give_the_same_app_back(self, format_version: int) -> None:
        app = parse(shop(format_version))

        again = unpacked(pack_app(app))

        assert again.tree() == app.tree()
        assert list(again) == list(app)

    def test_are_one_for_each_page_and_one_for_the_rest(self) -> None:
        packed = pack_app(parse(shop(5)))

        assert len(packed.packs) == 13
        assert [s.name for s in packed.manifest.sections][:2] == ["app", "page:Café ☕"]
        assert packed.manifest.files == len(shop(5))

    def test_of_a_large_page_are_several_that_fit_a_document(self) -> None:
        noise = os.urandom(PACK_BYTES_MAX)
        section = Section("page:Home", 5, {"pages/Home/a.bin": noise, "pages/Home/b.bin": noise})

        packs = pack_section(section)

        assert len(packs) == 3
        assert max(len(pack.body) for pack in packs) < 12 * 1024 * 1024
        again = unpack_section("page:Home", 5, [(pack.digest, pack.body) for pack in packs])
        assert again == section

    def test_of_a_large_unknown_file_are_its_own(self) -> None:
        app = parse(HONEST | {"film.bin": bytes(2 * 1024 * 1024)})

        names = [section.name for section in pack_app(app).manifest.sections]

        assert names == ["app", "file:film.bin", "page:Home"]

    def test_that_were_damaged_are_noticed(self) -> None:
        (pack,) = pack_section(Section("app", 5, {"a": b"b"}))
        bomb = zlib.compress(bytes(PACK_BYTES_MAX * 2))

        for digest, body in [("0" * 64, pack.body), (pack.digest, b"?"), (pack.digest, bomb)]:
            with pytest.raises(PackBroken):
                unpack_section("app", 5, [(digest, body)])


class TestManifest:
    def test_is_the_same_for_the_same_app(self) -> None:
        one = pack_app(parse(shop(5)))
        two = pack_app(parse(dict(reversed(shop(5).items()))))

        assert one == two
        assert Manifest.model_validate_json(one.manifest.encode()).digest == one.manifest.digest

    def test_differs_in_the_one_page_of_which_a_widget_differs(self) -> None:
        files = shop(5)
        before = pack_app(parse(files)).manifest
        after = pack_app(parse(files | {WIDGET: b'{"widgetName": "Text1"}'})).manifest

        assert changed_sections(before, after) == ["page:Home"]
        assert before.digest != after.digest

    def test_can_be_made_of_the_last_one_and_what_changed(self) -> None:
        files = shop(5)
        app = parse(files | {WIDGET: b"{}"})
        packs = pack_section(app.sections["page:Home"])
        changed = section_packs("page:Home", packs, len(app.sections["page:Home"].files))

        after = pack_app(parse(files)).manifest.with_sections([changed])

        assert after == pack_app(app).manifest

    def test_tells_apart_where_the_same_bytes_are(self) -> None:
        one = pack_app(parse(HONEST | {"a": b"1", "b": b"2"})).manifest
        two = pack_app(parse(HONEST | {"a": b"2", "b": b"1"})).manifest

        assert one.digest != two.digest


class TestDiff:
    def test_of_the_same_app_is_empty(self) -> None:
        assert list(diff(parse(shop(4)), parse(shop(4)))) == []

    def test_names_what_came_went_and_changed(self) -> None:
        files = shop(5)
        after = files | {
            "pages/Home/queries/SaveOrder/SaveOrder.txt": b"SELECT 2",
            "pages/Home/widgets/New.json": b'{"widgetName": "New"}',
        }
        del after["pages/home/widgets/Text1.json"]

        found = [(d.change, d.entity.entity_id) for d in diff(parse(files), parse(after))]

        assert found == [
            (Change.CHANGED, "query:pages/Home/queries/SaveOrder"),
            (Change.ADDED, "widget:pages/Home/widgets/New.json"),
            (Change.REMOVED, "widget:pages/home/widgets/Text1.json"),
        ]

    def test_of_the_changed_sections_is_the_diff_of_all(self) -> None:
        before, after = parse(shop(5)), parse(shop(5) | {WIDGET: b"{}"})
        names = changed_sections(pack_app(before).manifest, pack_app(after).manifest)

        some = diff(
            (e for name in names for e in before.sections[name].entities),
            (e for name in names for e in after.sections[name].entities),
        )

        assert list(some) == list(diff(before, after))


def test_a_tree_is_equal_to_its_files() -> None:
    assert SourceTree(shop(5)) == SourceTree(dict(shop(5)))
