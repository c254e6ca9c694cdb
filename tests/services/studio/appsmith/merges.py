"""What the tests of merges share."""

import json
from typing import Any

from services.studio.appsmith import App, export, parse
from services.studio.appsmith.compare import Path
from services.studio.appsmith.merge import Clash, Merged, Side, merge
from tests.services.studio.appsmith.sketches import Page, Widget


def merged(
    files: dict[str, bytes], ours: dict[str, bytes], theirs: dict[str, bytes], **choices: Side
) -> Merged:
    """The files that both sides changed of the base's; an empty content takes a file away."""

    def side(changed: dict[str, bytes]) -> App:
        whole = {**files, **changed}
        return parse({path: content for path, content in whole.items() if content})

    found = merge(parse(files), side(ours), side(theirs), choices)
    again = parse(export(found.app))
    assert list(again) == list(found.app)
    return found


def put(files: dict[str, bytes], path: str, *steps: str | int, to: Any) -> dict[str, bytes]:
    """The file with another value at a place in its JSON."""
    whole = json.loads(files[path])
    inner = whole
    for step in steps[:-1]:
        inner = inner[step]
    inner[steps[-1]] = to
    return {path: json.dumps(whole, indent=2, ensure_ascii=False).encode()}


def said(found: Merged) -> list[tuple[str, Path, Clash]]:
    return [(one.entity.name, one.path, one.clash) for one in found.conflicts]


def listed(app: App) -> dict[str, bool]:
    """The pages that `application.json` lists, and which opens first."""
    pages = json.loads(app.files["application.json"])["pages"]
    return {page["id"]: page["isDefault"] for page in pages}


def page_of(**widgets: str) -> Page:
    """A page with widgets, given as id = name."""
    return Page(widgets={key: Widget("", False, name, {}) for key, name in widgets.items()})
