"""A folder of an app as one zip, the same bytes for the same files."""

import io
import zipfile
from pathlib import Path

SKIPPED = {".git"}
EPOCH = (1980, 1, 1, 0, 0, 0)


def zip_of(path: Path) -> bytes:
    """The bytes of a zip, or a folder's files zipped. OSError when it is neither."""
    if path.is_file():
        return path.read_bytes()
    if not path.is_dir():
        raise FileNotFoundError(f"{path} is neither a folder nor a zip")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in files_of(path):
            info = zipfile.ZipInfo(file.relative_to(path).as_posix(), EPOCH)
            archive.writestr(info, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def files_of(folder: Path) -> list[Path]:
    """Its files in order of path; links and version control's own folder are left out."""
    found = (file for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    return sorted(f for f in found if not SKIPPED & set(f.relative_to(folder).parts))
