"""What a page runs when it is opened: lists of actions in the page's own JSON, in rounds."""

from collections.abc import Callable, Iterator

from services.studio.appsmith.entities import Entity, Kind, Object
from services.studio.appsmith.raw_json import Way, item_at, span, with_item, without_item
from services.studio.appsmith.sources import exact_json

ROUNDS = "layoutOnLoadActions"
Entry = tuple[Way, Object]
"""Where it is: layout at 2, round at 4, its place there at 5."""


def entries(content: bytes) -> list[Entry]:
    """All that a page runs, in order."""
    return list(_entries(exact_json(content))) if ROUNDS.encode() in content else []


def runs(entity: Entity) -> Callable[[Object], bool]:
    """Whether an entry runs a query, or any function of a script."""
    name = entity.name

    def is_its(action: Object) -> bool:
        found = action.get("name")
        if entity.kind is Kind.SCRIPT:
            return isinstance(found, str) and found.startswith(f"{name}.")
        if entity.kind is Kind.SCRIPT_FUNCTION:
            script = entity.fields.get("script")
            return found == f"{script}.{name}"
        return entity.kind is Kind.QUERY and found == name

    return is_its


def without_entries(content: bytes, is_gone: Callable[[Object], bool]) -> bytes:
    """A page that runs less. A round that has nothing left goes, too."""
    text = content.decode()
    for way, action in reversed(entries(content)):
        if is_gone(action):
            rounds, place = way[:-1], int(way[-1])
            text = without_item(text, rounds, place)
            start, end = span(text, rounds)
            if text[start:end] == "[]":
                text = without_item(text, rounds[:-1], int(rounds[-1]))
    return text.encode()


def with_entry(content: bytes, item: str, way: Way | None = None) -> bytes:
    """A page that runs one action more (its JSON text): in the round at a path, or in the last one
    that there is."""
    text = content.decode()
    if way is None:
        way = ("unpublishedPage", "layouts", 0, ROUNDS)
        found = [place[:-1] for place, _ in entries(content) if place[:4] == way]
        if not found:
            inner = item.replace("\n", "\n  ")
            item = f"[\n  {inner}\n]" if "\n" in text else f"[{item}]"
        else:
            way = found[-1]
    try:
        span(text, way)
    except KeyError:  # newer apps keep no such lists
        return content
    return with_item(text, way, item).encode()


def entry_texts(content: bytes, is_its: Callable[[Object], bool]) -> list[tuple[Way, str]]:
    """Some entries' rounds and JSON texts."""
    text = content.decode()
    return [(way[:-1], item_at(text, way)) for way, action in entries(content) if is_its(action)]


def _entries(value: Object) -> Iterator[Entry]:
    page = value.get("unpublishedPage")
    layouts = page.get("layouts") if isinstance(page, dict) else None
    for n, layout in enumerate(layouts if isinstance(layouts, list) else []):
        rounds = layout.get(ROUNDS) if isinstance(layout, dict) else None
        for m, actions in enumerate(rounds if isinstance(rounds, list) else []):
            for k, action in enumerate(actions if isinstance(actions, list) else []):
                if isinstance(action, dict):
                    yield ("unpublishedPage", "layouts", n, ROUNDS, m, k), action
