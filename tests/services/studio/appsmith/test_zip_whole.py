"""A bomb of many small entries, none of which is a bomb by itself."""

import io
import zipfile

import pytest

from services.studio.appsmith import ImportRefused, Rule, read_zip

MIB = 1024 * 1024


def test_many_small_entries_that_unpack_to_much_are_a_bomb() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(33):
            archive.writestr(f"{number}.txt", bytes(MIB))

    with pytest.raises(ImportRefused) as refusal:
        read_zip(target.getvalue())

    assert refusal.value.rule is Rule.BOMB
