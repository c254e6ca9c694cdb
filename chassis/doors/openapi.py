"""OpenAPI of the HTTP door, made from the contracts that it takes."""

from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import models_json_schema

from chassis.doors.http import Taken
from contracts.base import Message, answer_of

Json = dict[str, Any]  # a JSON document
_REF = "#/components/schemas/{model}"
_FAULTS = {
    "400": "The message does not match its contract",
    "401": "No signed context",
    "403": "The context does not allow this",
    "409": "Somebody else was first, or the command id was used with another input",
    "422": "Refused: a typed business rejection",
    "503": "A dependency cannot answer now",
    "504": "The deadline passed: the effect is in doubt",
}


def describe(commands: Iterable[Taken], queries: Iterable[Taken]) -> tuple[Json, Json]:
    """The paths and the component schemas."""
    doors = [("commands", taken) for taken in commands] + [("queries", taken) for taken in queries]
    contracts = {taken.contract: None for _, taken in doors}
    answers = {taken.contract: _answer(taken.contract) for _, taken in doors}
    models = dict.fromkeys([*contracts, *(answer for answer in answers.values() if answer)])
    names, document = models_json_schema(
        [(model, "validation") for model in models], ref_template=_REF
    )
    paths = {
        f"/{folder}/{taken.contract.__name__}": {
            "post": _operation(folder, taken.contract, answers[taken.contract], names)
        }
        for folder, taken in doors
    }
    return paths, document.get("$defs", {})


def _operation(
    folder: str, contract: type[Message], answer: type[Message] | None, names: Any
) -> Json:
    headers = ["basalt-context", "basalt-deadline-ms", "traceparent"]
    if folder == "commands":
        headers.insert(1, "basalt-command-id")
    answered: Json = {"type": "object"}
    if answer is not None:
        answered["properties"] = {
            "type": {"const": answer.address.type},
            "data": names[answer, "validation"],
        }
    return {
        "operationId": contract.__name__,
        "summary": (contract.__doc__ or "").strip().partition("\n")[0],
        "description": f"Permission: `{contract.permission}`.",
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": name in ("basalt-context", "basalt-command-id"),
                "schema": {"type": "string"},
            }
            for name in headers
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": names[contract, "validation"]}},
        },
        "responses": {
            "200": {
                "description": "Done",
                "content": {"application/json": {"schema": answered}},
            },
            **{status: {"description": text} for status, text in _FAULTS.items()},
        },
    }


def _answer(contract: type[Message]) -> type[Message] | None:
    try:
        return answer_of(contract)
    except TypeError:
        return None
