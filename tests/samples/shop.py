"""A shop's app as git sync writes it, in formats 2 to 5, odd names and all.

Written by hand of the format, not by the code that reads it: so that it can prove that code
wrong. `python -m tests.samples.shop --format 5 --zip shop.zip` writes it to disk.
"""

import argparse
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.samples.shop_old import older
from tests.samples.shop_parts import (
    PLACES,
    datasources,
    functions,
    libraries,
    page_value,
    queries,
    scripts,
    theme,
    widget_tree,
)

Json = dict[str, Any]  # JSON of a foreign format


def shop(format_version: int = 5, copies: int = 6) -> dict[str, bytes]:
    """The files by path. `copies`: how many plain catalogue pages there are beside the odd ones."""
    if format_version < 4:
        return older(shop(4, copies), format_version)
    names = [*PLACES, *((f"Catalogue {i}", f"Catalogue {i}") for i in range(1, copies + 1))]
    files: dict[str, bytes] = {
        "application.json": _json(_application(names, format_version)),
        "metadata.json": _json(_metadata(format_version)),
        "theme.json": _json(theme()),
        "README.md": "# Shop\n\nUn café, s'il vous plaît ☕\r\n".encode(),
        "docs/notes for a: b?.txt": b"\xff\xfe not UTF-8 \x00",
        "docs/broken.json": b"{ this is nobody's business",
    }
    for name, value in datasources():
        files[f"datasources/{name}.json"] = _json(value)
    for name, value in libraries():
        files[f"jslibs/{name}.json"] = _json(value)
    for order, (folder, name) in enumerate(names):
        files |= _page(folder, name, order, format_version)
    return files


def shop_zip(format_version: int = 5, copies: int = 6, prefix: str = "shop-main/") -> bytes:
    """The same as a zip with a folder around it, as code hosts make them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in shop(format_version, copies).items():
            archive.writestr(zipfile.ZipInfo(prefix + path, (2026, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()


def query_bodies(files: Mapping[str, bytes]) -> list[str]:
    """What no browser may ever see."""
    return [
        content.decode()
        for path, content in files.items()
        if "/queries/" in path and path.endswith(".txt")
    ]


def _page(folder: str, name: str, order: int, format_version: int) -> dict[str, bytes]:
    base = f"pages/{folder}"
    tree = widget_tree(order)
    page = page_value(name, order)
    layout = page["unpublishedPage"]["layouts"][0]
    files: dict[str, bytes] = {}
    if format_version == 4:
        layout["dsl"]["children"] = tree
        files[f"{base}/canvas.json"] = _json(page)
    else:
        files[f"{base}/{folder}.json"] = _json(page)
        files |= _widget_files(f"{base}/widgets", tree)
    for query, body, value in queries(name, order):
        files[f"{base}/queries/{query}/metadata.json"] = _json(value)
        if body is not None:
            files[f"{base}/queries/{query}/{query}.txt"] = body.encode()
    for script, body, value in scripts(name, order):
        files[f"{base}/jsobjects/{script}/metadata.json"] = _json(value)
        files[f"{base}/jsobjects/{script}/{script}.js"] = body.encode()
    for function, value in functions(name, order):
        files[f"{base}/queries/{function}/metadata.json"] = _json(value)
    if order == 0:
        files[f"{base}/queries/List orders/why.md"] = b"Because.\n"
        files[f"{base}/sketch.png"] = b"\x89PNG\r\n\x1a\n\x00\x01"
    return files


def _widget_files(folder: str, tree: list[Json]) -> dict[str, bytes]:
    """Format 5: a container keeps its bare canvas, and what was on it lies beside it."""
    files: dict[str, bytes] = {}
    for widget in tree:
        name = widget["widgetName"]
        if "children" not in widget:
            files[f"{folder}/{name}.json"] = _json(widget)
            continue
        bare = [{k: v for k, v in c.items() if k != "children"} for c in widget["children"]]
        files[f"{folder}/{name}/{name}.json"] = _json({**widget, "children": bare})
        for canvas in widget["children"]:
            files |= _widget_files(f"{folder}/{name}", canvas.get("children", []))
    return files


def _application(names: list[tuple[str, str]], format_version: int) -> Json:
    layout = "appLayout" if format_version == 5 else "publishedAppLayout"
    return {
        "appIsExample": False,
        layout: {"type": "FLUID"},
        "applicationVersion": 2,
        "color": "#D6D1F2",
        "evaluationVersion": 2,
        "icon": "bag",
        "nobodyKnowsThisField": {"answer": 42, "big": 2**70},
        "pages": [{"id": folder, "isDefault": i == 1} for i, (folder, _) in enumerate(names)],
        "unpublishedAppLayout": {"type": "FLUID"},
    }


def _metadata(format_version: int) -> Json:
    return {
        "artifactJsonType": "APPLICATION",
        "clientSchemaVersion": 1,
        "fileFormatVersion": format_version,
        "serverSchemaVersion": 11 if format_version == 5 else 6,
    }


def _json(value: Json) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode()


def main() -> None:
    """Write the sample as a zip or as a folder."""
    parser = argparse.ArgumentParser(description="Write the sample app.")
    parser.add_argument("--format", type=int, choices=(4, 5), default=5)
    parser.add_argument("--copies", type=int, default=6)
    parser.add_argument("--zip", type=Path)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.zip:
        options.zip.write_bytes(shop_zip(options.format, options.copies))
    if options.folder:
        for path, content in shop(options.format, options.copies).items():
            target = options.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


if __name__ == "__main__":
    main()
