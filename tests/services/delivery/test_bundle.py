"""What is refused as a bundle."""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from contracts.delivery.bundle import Bundle, encode
from services.delivery.model.bundle import BundleBroken, BundleLimits, check_document, check_pack
from tests.services.delivery.fakes import PAGES, SECRETS, a_part

LIMITS = BundleLimits(files_max=10, pack_bytes_max=1_000, document_bytes_max=10_000)


def a_document(**changed: object) -> bytes:
    """A sound bundle's document, with some of its fields replaced."""
    bundle = Bundle(public=a_part(PAGES)[0], private=a_part(SECRETS)[0])
    return encode(bundle.model_copy(update=changed))


def broken_rule(document: bytes, digest: str = "") -> tuple[str, str]:
    with pytest.raises(BundleBroken) as broken:
        check_document(document, digest or sha256(document).hexdigest(), LIMITS)
    return broken.value.path, broken.value.rule


def a_bent_part(bend: Callable[[dict[str, Any]], object]) -> bytes:  # JSON of a part
    document = json.loads(a_document())
    bend(document["public"])
    return json.dumps(document).encode()


class TestDocument:
    def test_a_sound_one_is_read(self) -> None:
        document = a_document(entry="index.json")

        bundle = check_document(document, sha256(document).hexdigest(), LIMITS)

        assert [file.path for file in bundle.public.files] == sorted(PAGES)

    def test_one_byte_changed(self) -> None:
        document = a_document()

        assert broken_rule(document + b" ", sha256(document).hexdigest()) == ("bundle", "digest")

    def test_no_json(self) -> None:
        assert broken_rule(b"{") == ("bundle", "shape")

    def test_of_a_format_that_is_not_known_yet(self) -> None:
        assert broken_rule(a_document(format=2)) == ("bundle", "format")

    def test_larger_than_allowed(self) -> None:
        assert broken_rule(b" " * 10_001) == ("bundle", "document_bytes_max")

    def test_an_entry_that_is_not_public(self) -> None:
        path = "queries/orders.json"

        assert broken_rule(a_document(entry=path)) == (path, "entry_is_public")


class TestLayout:
    @pytest.mark.parametrize(
        "path", ["../up", "/top", "a//b", "a/./b", "a\nb", "a\x00", "€" * 1000]
    )
    def test_paths_that_lead_elsewhere(self, path: str) -> None:
        part, _ = a_part({path: b"x"})

        found, rule = broken_rule(a_document(public=part))

        assert (found, rule) == (path, "path")

    def test_odd_names_are_fine(self) -> None:
        part, _ = a_part({"pages/é 👩‍🚀:?#%2F.json": b"x"})
        document = a_document(public=part)

        check_document(document, sha256(document).hexdigest(), LIMITS)

    def test_a_path_twice(self) -> None:
        document = a_bent_part(lambda part: part["files"].insert(0, part["files"][0]))

        assert broken_rule(document)[1] in ("sorted", "offset")

    def test_a_gap_between_files(self) -> None:
        document = a_bent_part(lambda part: part["files"].pop(0))

        assert broken_rule(document) == ("pages/home.json", "offset")

    def test_bytes_that_belong_to_no_file(self) -> None:
        document = a_bent_part(lambda part: part.update(size=part["size"] + 1))

        assert broken_rule(document) == ("public", "size")

    def test_too_many_files(self) -> None:
        part, _ = a_part({f"{number:02}": b"" for number in range(11)})

        assert broken_rule(a_document(public=part)) == ("public", "files_max")

    def test_a_pack_larger_than_allowed(self) -> None:
        part, _ = a_part({"large": b"x" * 1_001})

        assert broken_rule(a_document(private=part)) == ("private", "pack_bytes_max")


class TestPack:
    def test_the_first_file_that_differs_is_named(self) -> None:
        part, pack = a_part(PAGES)

        with pytest.raises(BundleBroken) as broken:
            check_pack("public", part, pack[:-1] + b"?")

        assert (broken.value.path, broken.value.rule) == ("pages/home.json", "digest")

    def test_cut_short(self) -> None:
        part, pack = a_part(PAGES)

        with pytest.raises(BundleBroken) as broken:
            check_pack("public", part, pack[:-1])

        assert (broken.value.path, broken.value.rule) == ("public", "size")

    def test_empty_is_sound(self) -> None:
        part, pack = a_part({})

        check_pack("private", part, pack)
