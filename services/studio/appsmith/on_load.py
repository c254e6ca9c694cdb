"""What a page runs when it is opened: lists of actions in the page's own JSON, in rounds."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from services.studio.appsmith.entities import Entity, Kind, Object, part
from services.studio.appsmith.raw_json import Way, items_at, with_items, without_items
from services.studio.appsmith.sources import exact_json

PAGE = "unpublishedPage"
ROUNDS = "layoutOnLoadActions"
Entry = tuple[Way, Object]
"""Where it is: layout at 2, round at 4, its place there at 5."""


def entries(content: bytes) -> list[Entry]:
    """All that a page runs, in order."""
    return list(entries_of(exact_json(content))) if ROUNDS.encode() in content else []


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
    gone: dict[Way, set[int]] = {}
    for way, actions in _rounds(exact_json(content), PAGE) if ROUNDS.encode() in content else ():
        places = {n for n, one in enumerate(actions) if isinstance(one, dict) and is_gone(one)}
        if places and len(places) == len(actions):
            gone.setdefault(way[:-1], set()).add(int(way[-1]))
        elif places:
            gone[way] = places
    return without_items(content.decode(), gone).encode() if gone else content


def with_entries(content: bytes, more: Mapping[Way, Sequence[str]]) -> bytes:
    """A page that runs more actions (their JSON texts), in the rounds at some paths."""
    return with_items(content.decode(), more).encode()


def with_last_entries(content: bytes, more: Sequence[str]) -> bytes:
    """The same in the last round that there is; newer apps keep no such lists."""
    value = exact_json(content)
    rounds = [way for way, actions in _rounds(value, PAGE) if way[2] == 0 and actions]
    if rounds or not more:
        return with_entries(content, {rounds[-1]: more}) if more else content
    layouts = part(value, PAGE).get("layouts")
    first = layouts[0] if isinstance(layouts, list) and layouts else None
    if not isinstance(first, dict) or not isinstance(first.get(ROUNDS), list):
        return content
    alone = f"[{','.join(more)}]"
    if b"\n" in content:
        inner = ",\n  ".join(item.replace("\n", "\n  ") for item in more)
        alone = f"[\n  {inner}\n]"
    return with_entries(content, {(PAGE, "layouts", 0, ROUNDS): [alone]})


def entry_texts(content: bytes, is_its: Callable[[Object], bool]) -> dict[Way, list[str]]:
    """JSON texts of some entries, by their rounds."""
    found: dict[Way, list[str]] = {}
    ways = [way for way, action in entries(content) if is_its(action)]
    for way, item in zip(ways, items_at(content.decode(), ways), strict=True):
        found.setdefault(way[:-1], []).append(item)
    return found


def entries_of(value: Mapping[str, object], page: str = PAGE) -> Iterator[Entry]:
    """All that a page's JSON lists under `page` to run when it opens."""
    for way, actions in _rounds(value, page):
        for n, action in enumerate(actions):
            if isinstance(action, dict):
                yield (*way, n), action


def _rounds(value: Mapping[str, object], page: str) -> Iterator[tuple[Way, list[object]]]:
    layouts = part(value, page).get("layouts")
    for n, layout in enumerate(layouts if isinstance(layouts, list) else []):
        rounds = layout.get(ROUNDS) if isinstance(layout, dict) else None
        for m, actions in enumerate(rounds if isinstance(rounds, list) else []):
            if isinstance(actions, list):
                yield (page, "layouts", n, ROUNDS, m), actions
