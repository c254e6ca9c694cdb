"""The shop's app in formats 2 and 3: a query is one JSON file; in format 2 a script is, too."""

import json
from collections.abc import Mapping
from typing import Any

BODY_AT = {
    "queries": ("unpublishedAction", "actionConfiguration"),
    "jsobjects": ("unpublishedCollection",),
}


def older(files: Mapping[str, bytes], format_version: int) -> dict[str, bytes]:
    """The same app as a server of those days wrote it, from its files in format 4."""
    whole = {"queries", "jsobjects"} if format_version == 2 else {"queries"}
    found = dict(files)
    for path in files:
        parts = path.split("/")
        if len(parts) == 5 and parts[2] in whole and parts[4] == "metadata.json":
            folder, suffix = "/".join(parts[:4]), ".txt" if parts[2] == "queries" else ".js"
            value = json.loads(found.pop(path))
            body = found.pop(f"{folder}/{parts[3]}{suffix}", None)
            if body is not None:
                _put(value, BODY_AT[parts[2]], body.decode())
            found[f"{folder}.json"] = _json(value)
    metadata = {"clientSchemaVersion": 1, "serverSchemaVersion": 6}
    found["metadata.json"] = _json({**metadata, "fileFormatVersion": format_version})
    return found


def _put(value: dict[str, Any], keys: tuple[str, ...], body: str) -> None:
    for key in keys:
        value = value.setdefault(key, {})
    value["body"] = body


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode()
