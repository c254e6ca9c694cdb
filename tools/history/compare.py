"""Whether the export of a revision is its commit: the same paths, the same bytes."""

import io
import zipfile

from tools.history.repository import File
from tools.journey.client import Client, demand

SHOWN_MAX = 3


async def export_of(client: Client, workspace_id: str, app_id: str, revision: str) -> bytes:
    """The zip of a revision's files. Raises Failed."""
    path = f"/api/workspaces/{workspace_id}/apps/{app_id}/export?revision={revision}"
    response = await client.fetch(path)
    demand(response.status_code == 200, f"{path} answered {response.status_code}")
    return response.content


def difference(archive: bytes, files: list[File]) -> str:
    """In what an export and a commit differ; empty when they are equal. An app in a folder of its
    repository is exported without the folders around it, as it is imported."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        exported = {name: opened.read(name) for name in opened.namelist()}
    committed = {file.path: file.body for file in files}
    folder = _folder(set(committed))
    committed = {path[len(folder) :]: body for path, body in committed.items()}
    missing = committed.keys() - exported.keys()
    more = exported.keys() - committed.keys()
    other = {
        path for path in committed.keys() & exported.keys() if committed[path] != exported[path]
    }
    parts = {"missing": missing, "not in the commit": more, "other bytes": other}
    return "; ".join(
        f"{what}: {len(paths)} ({', '.join(sorted(paths)[:SHOWN_MAX])})"
        for what, paths in parts.items()
        if paths
    )


def _folder(paths: set[str]) -> str:
    """The folders, with a slash, that hold nothing but the app; empty when it lies at the root."""
    folder = ""
    while paths and "application.json" not in paths:
        first = min(paths).partition("/")[0] + "/"
        if not all(path.startswith(first) for path in paths):
            return ""
        folder, paths = folder + first, {path[len(first) :] for path in paths}
    return folder
