"""An export is equal to its commit, or it is said in what it is not."""

import pytest

from tools.archive import zip_of_files
from tools.history.compare import difference
from tools.history.repository import File

APP = {"application.json": b"{}", "pages/Home/canvas.json": b"{ }\r\n", "x": b"\x00\xff"}


def zipped(files: dict[str, bytes]) -> bytes:
    return zip_of_files((path, body, False) for path, body in files.items())


def committed(files: dict[str, bytes]) -> list[File]:
    return [File(path, body, link=False) for path, body in files.items()]


def test_the_same_files_are_equal() -> None:
    assert difference(zipped(APP), committed(APP)) == ""


def test_an_app_in_a_folder_is_exported_without_it() -> None:
    inside = {f"apps/shop/{path}": body for path, body in APP.items()}

    assert difference(zipped(APP), committed(inside)) == ""
    assert "missing" in difference(zipped(APP), committed({**inside, "other": b""}))


@pytest.mark.parametrize(
    ("export", "said"),
    [
        ({**APP, "x": b"\x00"}, "other bytes: 1 (x)"),
        ({**APP, "pages/Home/canvas.json": b"{ }\n"}, "other bytes: 1 (pages/Home/canvas.json)"),
        ({k: v for k, v in APP.items() if k != "x"}, "missing: 1 (x)"),
        ({**APP, "y": b""}, "not in the commit: 1 (y)"),
    ],
)
def test_any_other_byte_or_file_is_told(export: dict[str, bytes], said: str) -> None:
    assert difference(zipped(export), committed(APP)) == said
