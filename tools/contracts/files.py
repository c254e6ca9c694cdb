"""The generated files: what they should hold, and whether they do."""

import json
from collections.abc import Mapping
from pathlib import Path

from contracts.base import Message
from tools.contracts import asyncapi
from tools.contracts.consumers import ROOT
from tools.contracts.samples import sample_of
from tools.contracts.schemas import Json, schema_of

FOLDER = ROOT / "contracts"


def wanted(contracts: Mapping[str, type[Message]]) -> dict[str, str]:
    """Path inside `contracts/` -> content."""
    files = {"asyncapi.yaml": asyncapi.text(contracts, services())}
    for wire_type, contract in contracts.items():
        files[f"schemas/{wire_type}.json"] = _json(schema_of(contract))
        files[f"samples/{wire_type}.json"] = _json(sample_of(contract))
    return files


def services(root: Path = ROOT) -> list[str]:
    """The services of this tree that handle messages."""
    return sorted(file.parent.name for file in (root / "services").glob("*/handlers*"))


def write(contracts: Mapping[str, type[Message]], folder: Path = FOLDER) -> list[str]:
    """Bring the files up to date; the paths that changed."""
    files = wanted(contracts)
    changed = stale(contracts, folder)
    for path in changed:
        target = folder / path
        if path not in files:
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(files[path])
    return changed


def stale(contracts: Mapping[str, type[Message]], folder: Path = FOLDER) -> list[str]:
    """Paths whose file is missing, different, or of a contract that is gone."""
    files = wanted(contracts)
    there = {
        path.relative_to(folder).as_posix()
        for place in ("schemas", "samples")
        for path in (folder / place).glob("*.json")
    }
    different = [
        path
        for path, content in files.items()
        if not (folder / path).is_file() or (folder / path).read_text() != content
    ]
    return sorted([*different, *(there - files.keys())])


def _json(document: Json) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
