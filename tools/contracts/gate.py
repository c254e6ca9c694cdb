"""The gate: compares the contracts with every released version, and says who would break."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from contracts.base import Message
from tools.contracts.compatibility import NEW_VERSION, Break, breaks
from tools.contracts.consumers import ROOT, Reader, readers
from tools.contracts.samples import sample_of
from tools.contracts.schemas import Json, schema_of

RELEASED = ROOT / "contracts" / "released"


def released(folder: Path = RELEASED) -> dict[str, Json]:
    """Every released version: {"schemas": by type, "samples": by type}."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))}


def release(version: str, contracts: Mapping[str, type[Message]], folder: Path = RELEASED) -> Path:
    """Freeze the contracts as `version`. Raises FileExistsError: a release is never rewritten."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{version}.json"
    body = {
        "schemas": {name: schema_of(contract) for name, contract in contracts.items()},
        "samples": {name: sample_of(contract) for name, contract in contracts.items()},
    }
    with file.open("x") as out:  # a line for each message: it is read by machines, and kept
        out.write("{")
        for number, (part, messages) in enumerate(sorted(body.items())):
            lines = (f"{json.dumps(k)}: {_line(v)}" for k, v in sorted(messages.items()))
            out.write(
                f"{',' if number else ''}\n{json.dumps(part)}: {{\n" + ",\n".join(lines) + "}"
            )
        out.write("\n}\n")
    return file


def faults(
    contracts: Mapping[str, type[Message]],
    versions: Mapping[str, Json],
    known_readers: Mapping[str, list[Reader]] | None = None,
) -> list[str]:
    """What breaks against any version that was ever released, each with its readers and a way
    out. Empty: the gate is open."""
    known = readers() if known_readers is None else known_readers
    found: dict[str, None] = {}
    for version, body in versions.items():
        for wire_type, old in body["schemas"].items():
            contract = contracts.get(wire_type)
            if contract is None:
                gone = Break("removed", "", "the message is gone", f"bring it back: {NEW_VERSION}")
                found[_told(wire_type, gone, version, body["schemas"], known)] = None
                continue
            for each in breaks(old, schema_of(contract)):
                found[_told(wire_type, each, version, body["schemas"], known)] = None
            found.update(_unreadable(contract, body["samples"][wire_type], version))
    return list(found)


def _line(document: Json) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _unreadable(contract: type[Message], sample: Any, version: str) -> dict[str, None]:  # JSON
    """The golden sample of a release must be readable as long as its version lives."""
    try:
        contract.model_validate(sample)
    except ValidationError as error:
        rules = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors())
        return {f"{contract.address.type}: the sample of {version} is refused: {rules}": None}
    return {}


def _told(
    wire_type: str,
    fault: Break,
    version: str,
    schemas: Mapping[str, Json],
    known: Mapping[str, list[Reader]],
) -> str:
    subject = f"{wire_type}, field {fault.path}" if fault.path else wire_type
    affected = ", ".join(dict.fromkeys(_affected(wire_type, fault, schemas, known)))
    return (
        f"{subject}: {fault.rule}: {fault.what} (released in {version})\n"
        f"    breaks: {affected or 'nobody in this tree'}\n"
        f"    instead: {fault.instead}"
    )


def _affected(
    wire_type: str,
    fault: Break,
    schemas: Mapping[str, Json],
    known: Mapping[str, list[Reader]],
) -> Iterable[str]:
    """Those that use the field first; those that only hold the message when nobody names it."""
    users = known.get(_name(wire_type), [])
    exact = [reader.place for reader in users if fault.field and fault.field in reader.fields]
    yield from exact or [reader.place for reader in users]
    for asking, schema in schemas.items():
        if schema["x-basalt"].get("answer") == wire_type:
            # Fields flow by name: a saga takes what its next steps need from each answer.
            for reader in known.get(_name(asking), []):
                if reader.place.startswith("sagas/"):
                    yield f"{reader.place} (by the answer to {_name(asking)})"
    about = schemas[wire_type]["x-basalt"]
    if about["kind"] == "event":
        yield f"every subscriber of {about['topic']}"
    if about.get("permission"):
        yield "every client of the gateway"


def _name(wire_type: str) -> str:
    return wire_type.split(".")[1]
