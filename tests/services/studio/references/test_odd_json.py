"""Whatever strangers wrote into an app: an edit of it is done, or refused with the reason."""

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from services.studio.appsmith import (
    App,
    EditRefused,
    Entity,
    ImportRefused,
    Kind,
    add_entity,
    parse,
)
from services.studio.references.delete import delete
from services.studio.references.duplicate import duplicate
from services.studio.references.move import Target, move
from services.studio.store.renaming import rename_in
from tests.services.studio.references.small_app import an_app

Json = Any  # JSON of a foreign format

ODD: tuple[Json, ...] = (None, True, 1.5, "x", "", [], {}, [None], [[1]], {"a": None})
DOCUMENTS = 120
"""Odd ones of each format, one value each."""


def places(value: Json) -> Iterator[tuple[Json, Json]]:
    """Every object or list with every key or place."""
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    for key in list(keys):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def odd_apps(version: int, dice: Random) -> Iterator[App]:
    """Apps with one value that is something else, as far as they are apps."""
    sound = an_app(version)
    paths = [path for path in sound.files if path.endswith(".json") and path != "metadata.json"]
    for _ in range(DOCUMENTS):
        path = dice.choice(paths)
        value = json.loads(sound.files[path])
        holder, key = dice.choice(list(places(value)))
        holder[key] = dice.choice(ODD)
        try:
            app = parse(sound.files | {path: json.dumps(value, indent=2).encode()})
        except ImportRefused:
            continue
        yield app


def edits(app: App, one: Entity, other: Entity) -> dict[str, Callable[[], object]]:
    page = "Q" if one.page == "P" else "P"
    own = {"page": other.page, "parent_id": other.entity_id, "value": {"type": "T"}}
    return {
        "delete": lambda: delete(app, one.entity_id),
        "duplicate": lambda: duplicate(app, one.entity_id),
        "move to a page": lambda: move(app, one.entity_id, Target(page)),
        "move into": lambda: move(app, one.entity_id, Target(other.page, other.entity_id)),
        "rename": lambda: rename_in(app, one.entity_id, "Renamed", with_mentions=True),
        "add": lambda: add_entity(app, Kind.WIDGET, name="Added", **own),
    }


@pytest.mark.parametrize("version", [4, 5])
def test_odd_json_is_edited_or_refused(version: int) -> None:
    dice, done, refused = Random(version), 0, 0

    for app in odd_apps(version, dice):
        entities = list(app)
        for one in dice.sample(entities, 4):
            for what, edit in edits(app, one, dice.choice(entities)).items():
                try:
                    edit()
                    done += 1
                except (EditRefused, ImportRefused):
                    refused += 1
                except Exception as error:
                    files = {p: c for p, c in app.files.items() if c != an_app(version).files[p]}
                    pytest.fail(f"{what} {one.entity_id}: {error!r} {files}")

    assert min(done, refused) > DOCUMENTS
