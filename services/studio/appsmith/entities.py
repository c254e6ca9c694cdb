"""Entity: one thing that an app is made of, as an index of it may keep it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import orjson

from services.studio.appsmith.refusals import ImportRefused, Rule

JSON_BYTES_MAX = 16 * 1024 * 1024
"""A larger JSON file could take gigabytes once it is made of objects."""

ENTITIES_MAX = 100_000
FIELD_LENGTH_MAX = 300

Object = dict[str, object]
"""A JSON object."""

Scalar = str | int | bool


class Kind(StrEnum):
    """What an entity is."""

    APP = "app"
    PAGE = "page"
    WIDGET = "widget"
    QUERY = "query"
    SCRIPT = "script"
    SCRIPT_FUNCTION = "script_function"
    DATASOURCE = "datasource"
    LIBRARY = "library"
    THEME = "theme"
    METADATA = "metadata"
    FILE = "file"


NAMED = (Kind.WIDGET, Kind.QUERY, Kind.SCRIPT)
"""What code calls by its name, each page having one set of names for all of them; a script's
function is called only through its script."""


@dataclass(frozen=True, slots=True)
class Entity:
    """One thing of an app; its source is in the files at `paths` (see `sources.read_source`).

    `entity_id`: kind and place in the source, unique in the app and the same from import to
    import. `page`: its page's folder, empty for the app level. `parent_id`: the widget around a
    widget, the script of a function, or empty. `digest`: SHA-256 (hex) of its own source: the
    file's exact bytes, or for a node of a canvas its own properties without its children.
    `fields`: small values to search by; no text in here has a NUL.
    """

    entity_id: str
    kind: Kind
    name: str
    section: str
    page: str
    path: str
    digest: str
    parent_id: str = ""
    paths: tuple[str, ...] = ()
    fields: Mapping[str, Scalar] = field(default_factory=dict)


def load_object(path: str, content: bytes) -> Object:
    """A file's JSON object. Raises ImportRefused when it is anything else."""
    if len(content) > JSON_BYTES_MAX:
        detail = f"JSON of {len(content)} bytes; at most {JSON_BYTES_MAX}"
        raise ImportRefused(path=path, rule=Rule.ENTRY_TOO_LARGE, detail=detail)
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ImportRefused(path=path, rule=Rule.BROKEN_JSON, detail=str(error)) from None
    if not isinstance(value, dict):
        raise ImportRefused(path=path, rule=Rule.BROKEN_JSON, detail="not a JSON object")
    return value


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def value_digest(path: str, value: object) -> str:
    """Digest of a JSON value, blind to the order of keys. Raises ImportRefused when too deep."""
    try:
        return digest_of(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))
    except orjson.JSONEncodeError as error:
        raise ImportRefused(path=path, rule=Rule.BROKEN_JSON, detail=str(error)) from None


def part(value: object, *keys: str) -> Object:
    """The object found by following `keys`; an empty one when something else is there."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def text(value: object, otherwise: str = "") -> str:
    """`value` when it is a text with something in it, cut and without NUL; else `otherwise`."""
    if not isinstance(value, str) or not value:
        return otherwise
    if "\0" in value:
        value = value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return value if len(value) <= FIELD_LENGTH_MAX else value[:FIELD_LENGTH_MAX]


def fields_of(**values: object) -> dict[str, Scalar]:
    """Those of the values that are small: texts, numbers, flags."""
    kept: dict[str, Scalar] = {}
    for key, value in values.items():
        if isinstance(value, bool | int) and -(2**53) < value < 2**53:
            kept[key] = value
        elif cut := text(value):
            kept[key] = cut
    return kept
