"""Zips of strangers: taken whole or refused with the file's name and the rule."""

import tracemalloc
from pathlib import Path

import pytest

from services.studio.appsmith import ImportRefused, Limits, Rule, SourceTree, read_zip, zip_bytes
from tests.samples.shop import shop, shop_zip
from tests.services.studio.appsmith.zips import HONEST, Raw, a_zip, raw_zip

MIB = 1024 * 1024


def refusal(archive: bytes, limits: Limits | None = None) -> ImportRefused:
    with pytest.raises(ImportRefused) as refused:
        read_zip(archive, limits or Limits())
    return refused.value


class TestHonestZips:
    @pytest.mark.parametrize("format_version", [4, 5])
    def test_come_out_byte_for_byte(self, format_version: int) -> None:
        files = shop(format_version)

        tree = read_zip(shop_zip(format_version, prefix=""))

        assert dict(tree) == files

    def test_lose_the_folder_around_the_app(self) -> None:
        tree = read_zip(shop_zip(5, prefix="repo-main/inner/"))

        assert dict(tree) == shop(5)

    def test_can_be_read_from_a_file(self, tmp_path: Path) -> None:
        archive = tmp_path / "shop.zip"
        archive.write_bytes(shop_zip(5))

        assert dict(read_zip(archive)) == shop(5)

    def test_keep_case_twins_apart(self) -> None:
        tree = read_zip(a_zip({"a/Text.json": b"1", "a/text.json": b"2", "A/Text.json": b"3"}))

        assert len(tree) == 3

    def test_lose_version_control_and_the_mac_archivers_shadows(self) -> None:
        shadows = {"__MACOSX/app/._x": b"", "app/.git/config": b"[core]"}
        archive = a_zip({f"app/{path}": content for path, content in HONEST.items()} | shadows)

        assert dict(read_zip(archive)) == HONEST

    def test_give_utf8_names_back_even_without_the_flag(self) -> None:
        archive = raw_zip(Raw("café ☕.json".encode()))

        assert list(read_zip(archive)) == ["café ☕.json"]

    def test_read_names_of_the_old_code_page(self) -> None:
        archive = raw_zip(Raw("é.json".encode("cp437")))

        assert list(read_zip(archive)) == ["é.json"]

    def test_are_written_the_same_each_time(self) -> None:
        tree = SourceTree(shop(5))
        backwards = SourceTree(dict(reversed(shop(5).items())))

        assert zip_bytes(tree) == zip_bytes(backwards)
        assert dict(read_zip(zip_bytes(tree))) == shop(5)

    def test_may_use_zip64(self) -> None:
        files = {f"f/{i}": b"" for i in range(70_000)}

        tree = read_zip(a_zip(files), Limits(files_max=80_000))

        assert len(tree) == 70_000


class TestPaths:
    @pytest.mark.parametrize(
        ("name", "rule"),
        [
            ("../evil.json", Rule.PATH_ESCAPE),
            ("a/../../evil.json", Rule.PATH_ESCAPE),
            ("/etc/passwd", Rule.PATH_ESCAPE),
            ("C:/windows/evil", Rule.PATH_ESCAPE),
            ("a\\..\\evil", Rule.PATH_ESCAPE),
            ("\\\\host\\share", Rule.PATH_ESCAPE),
            ("a/./b", Rule.PATH_INVALID),
            ("a//b", Rule.PATH_INVALID),
            ("a\nb", Rule.PATH_INVALID),
            ("a\x00b", Rule.PATH_INVALID),
            ("x" * 256, Rule.PATH_TOO_LONG),
            ("/".join(["d" * 100] * 11), Rule.PATH_TOO_LONG),
            ("/".join(["d"] * 65), Rule.PATH_TOO_DEEP),
        ],
    )
    def test_that_leave_or_can_not_be_are_refused(self, name: str, rule: Rule) -> None:
        found = refusal(raw_zip(Raw(b"application.json"), Raw(name.encode())))

        assert found.rule == rule
        assert found.path.isprintable()

    def test_of_folders_are_checked_too(self) -> None:
        assert refusal(raw_zip(Raw(b"../up/", b"", mode=0o040755))).rule == Rule.PATH_ESCAPE

    def test_that_are_not_utf8_though_they_say_so_are_refused(self) -> None:
        assert refusal(raw_zip(Raw(b"\xff.json", flags=0x0800))).rule == Rule.PATH_INVALID

    def test_that_occur_twice_are_refused(self) -> None:
        found = refusal(raw_zip(Raw(b"theme.json"), Raw(b"theme.json")))

        assert (found.rule, found.path) == (Rule.DUPLICATE_FILE, "theme.json")

    def test_that_are_file_and_folder_are_refused(self) -> None:
        found = refusal(raw_zip(Raw(b"pages"), Raw(b"pages/Home/Home.json")))

        assert (found.rule, found.path) == (Rule.DUPLICATE_FILE, "pages")


class TestKindsOfFiles:
    def test_links_are_refused(self) -> None:
        found = refusal(raw_zip(Raw(b"theme.json", b"/etc/passwd", mode=0o120777)))

        assert (found.rule, found.path) == (Rule.LINK, "theme.json")

    @pytest.mark.parametrize("mode", [0o010644, 0o020644, 0o060644, 0o140644])
    def test_pipes_devices_and_sockets_are_refused(self, mode: int) -> None:
        assert refusal(raw_zip(Raw(b"x", mode=mode))).rule == Rule.SPECIAL_FILE

    @pytest.mark.parametrize("flags", [0x1, 0x40, 0x2000])
    def test_encrypted_entries_are_refused(self, flags: int) -> None:
        assert refusal(raw_zip(Raw(b"x", flags=flags))).rule == Rule.ENCRYPTED

    def test_unknown_compression_is_refused(self) -> None:
        assert refusal(raw_zip(Raw(b"x", method=12))).rule == Rule.UNSUPPORTED_COMPRESSION


class TestBombs:
    def test_a_gigabyte_is_refused_on_its_own_word(self) -> None:
        archive = raw_zip(Raw(b"big.json", claimed_size=1024 * MIB))

        assert refusal(archive).rule == Rule.ENTRY_TOO_LARGE

    def test_an_entry_over_the_limit_is_refused_without_being_unpacked(self) -> None:
        archive = raw_zip(Raw(b"big.json", bytes(65 * MIB)))
        tracemalloc.start()

        found = refusal(archive)

        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found.rule == Rule.ENTRY_TOO_LARGE
        assert peak < MIB

    def test_a_lie_about_the_size_stops_the_unpacking(self) -> None:
        archive = raw_zip(Raw(b"small.json", bytes(40 * MIB), claimed_size=10))
        tracemalloc.start()

        found = refusal(archive)

        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (found.rule, found.path) == (Rule.BOMB, "small.json")
        assert peak < MIB

    def test_too_good_a_ratio_is_a_bomb(self) -> None:
        assert refusal(raw_zip(Raw(b"zeros", bytes(30 * MIB)))).rule == Rule.BOMB

    def test_entries_that_share_their_bytes_are_a_bomb(self) -> None:
        archive = raw_zip(Raw(b"one"), Raw(b"two", local_name=b"one", header_at=0))

        assert refusal(archive).rule in (Rule.BOMB, Rule.BROKEN_ARCHIVE)

    def test_entries_inside_of_entries_are_a_bomb(self) -> None:
        kernel = raw_zip(Raw(b"kernel", b"k" * 50))
        archive = raw_zip(
            Raw(b"quilt", kernel, method=0),
            Raw(b"kernel", b"k" * 50, header_at=30 + len(b"quilt")),
        )

        found = refusal(archive)

        assert (found.rule, found.path) == (Rule.BOMB, "kernel")

    def test_the_sum_of_all_is_bounded(self) -> None:
        limits = Limits(total_bytes_max=5000)
        archive = a_zip({f"f{i}": bytes([i]) * 1000 for i in range(6)})

        assert refusal(archive, limits).rule == Rule.TOTAL_TOO_LARGE

    def test_a_hundred_thousand_files_are_refused(self) -> None:
        archive = raw_zip(*(Raw(b"%d" % i, method=0) for i in range(100_001)))

        found = refusal(archive)

        assert found.rule == Rule.TOO_MANY_FILES

    def test_a_hundred_thousand_and_more_folders_are_refused(self) -> None:
        folders = (Raw(b"%d/" % i, b"", method=0, mode=0o040755) for i in range(100_001))

        assert refusal(raw_zip(*folders)).rule == Rule.TOO_MANY_FILES

    def test_too_large_an_archive_is_not_even_opened(self, tmp_path: Path) -> None:
        archive = tmp_path / "large.zip"
        archive.write_bytes(shop_zip(5))

        with pytest.raises(ImportRefused) as refused:
            read_zip(archive, Limits(archive_bytes_max=1000))

        assert refused.value.rule == Rule.TOTAL_TOO_LARGE


class TestBrokenArchives:
    @pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all" * 100])
    def test_what_is_no_zip_is_refused(self, content: bytes, tmp_path: Path) -> None:
        archive = tmp_path / "x.zip"
        archive.write_bytes(content)

        with pytest.raises(ImportRefused) as refused:
            read_zip(archive)

        assert refused.value.rule == Rule.BROKEN_ARCHIVE

    def test_a_cut_is_noticed_wherever_it_is_made(self) -> None:
        whole = shop_zip(5, copies=0)

        for size in range(0, len(whole) - 1, 997):
            assert refusal(whole[:size]).rule == Rule.BROKEN_ARCHIVE

    def test_a_wrong_checksum_is_noticed(self) -> None:
        assert refusal(raw_zip(Raw(b"x", claimed_crc=1))).rule == Rule.BROKEN_ARCHIVE

    def test_an_entry_that_ends_too_early_is_noticed(self) -> None:
        assert refusal(raw_zip(Raw(b"x", b"abc" * 999, cut=3))).rule == Rule.BROKEN_ARCHIVE

    def test_another_name_in_the_entrys_own_header_is_noticed(self) -> None:
        found = refusal(raw_zip(Raw(b"good.json", local_name=b"evil.json")))

        assert (found.rule, found.path) == (Rule.BROKEN_ARCHIVE, "good.json")

    def test_a_flipped_bit_gives_a_refusal_or_the_same_files(self) -> None:
        whole = a_zip(HONEST)

        for at in range(len(whole)):
            damaged = bytearray(whole)
            damaged[at] ^= 0x15
            try:
                tree = read_zip(bytes(damaged))
            except ImportRefused:
                continue
            assert set(tree.files.values()) <= set(HONEST.values())
