"""Write a source tree as a zip, the same bytes for the same files."""

import io
import zipfile
from typing import IO

from services.studio.appsmith.tree import SourceTree

LEVEL = 6
_EPOCH = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE = 0o100644 << 16


def write_zip(tree: SourceTree, target: IO[bytes]) -> None:
    """Write sorted entries without times or owners: the same files give the same bytes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for path, content in tree.items():
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = _PLAIN_FILE
            archive.writestr(entry, content)


def zip_bytes(tree: SourceTree) -> bytes:
    """The zip of a tree in memory."""
    buffer = io.BytesIO()
    write_zip(tree, buffer)
    return buffer.getvalue()
