"""Three-way merge of JSON values and of texts.

What only one side changed is that side's. Objects merge key by key. A list is one value unless its
elements can be told apart by more than their place: objects with an id each, or one of the lists
that Appsmith means as sets. Texts merge as diff3 has it, line by line: lines that both kept divide
the text, and what is between two of them is one change; changes that touch are a conflict.
"""

from collections.abc import Callable, Iterable, Sequence

from services.studio.appsmith.compare import MISSING, Path, json_changes
from services.studio.appsmith.entities import Object
from services.studio.appsmith.lines import Match, lines_of, matches
from services.studio.appsmith.merge.conflicts import Clash, Decide, Side, Values, pick

TEXT: Path = ("text",)
"""The path of a query's or script's body."""

_IDENTITIES = ("id", "widgetId", "key")
_SETS = ("jsonPathKeys", "columnOrder")
_BY_INDEX = "layouts"


def same(one: object, other: object) -> bool:
    """Whether two values are the same JSON; 1, 1.0 and true are three."""
    return one is other or next(json_changes(one, other), None) is None


def merge_values(values: Values, path: Path, decide: Decide) -> object:
    """The merged value; MISSING when it is gone."""
    base, ours, theirs = values
    if same(ours, theirs) or same(base, theirs):
        return ours
    if same(base, ours):
        return theirs
    if isinstance(base, dict) and isinstance(ours, dict) and isinstance(theirs, dict):
        return _objects(base, ours, theirs, path, decide)
    if isinstance(base, list) and isinstance(ours, list) and isinstance(theirs, list):
        keys = _keys_of(base, ours, theirs, path)
        if keys is not None:
            return _elements((base, ours, theirs), keys, path, decide)
    clash = Clash.CHANGED
    if ours is MISSING or theirs is MISSING:
        clash = Clash.REMOVED
    elif base is MISSING:
        clash = Clash.ADDED
    return pick(decide(path, clash, values), ours, theirs)


def merge_texts(base: str, ours: str, theirs: str, decide: Decide) -> str:
    """The merged text."""
    old, one, other = lines_of(base), lines_of(ours), lines_of(theirs)
    merged: list[str] = []
    at, left, right = 0, 0, 0
    end = (len(old), len(one), len(other), 0)
    for start, mine, yours, size in [*_kept(matches(old, one), matches(old, other)), end]:
        piece = (old[at:start], one[left:mine], other[right:yours])
        if piece[1] == piece[2] or piece[0] == piece[2]:
            merged += piece[1]
        elif piece[0] == piece[1]:
            merged += piece[2]
        else:
            was, now, then = ("".join(lines) for lines in piece)
            side = decide(TEXT, Clash.CHANGED, (was, now, then), at + 1)
            merged.append(now if side is Side.OURS else then)
        merged += old[start : start + size]
        at, left, right = start + size, mine + size, yours + size
    return "".join(merged)


def merge_order(
    orders: tuple[Sequence[str], Sequence[str], Sequence[str]],
    kept: Iterable[str],
    decide: Callable[[], Side],
) -> list[str]:
    """The order of what is kept, of base's, our and their order; what one side added follows what
    it follows there."""
    wanted = set(kept)
    common = set(orders[0]) & set(orders[1]) & set(orders[2])
    was, now, then = ([x for x in order if x in common] for order in orders)
    ours_first = now == then or was == then or (was != now and decide() is Side.OURS)
    first, second = (orders[1], orders[2]) if ours_first else (orders[2], orders[1])
    known, placed = set(second), wanted & set(first)
    after: dict[str, list[str]] = {}  # what only the second has, by what it follows there
    before = ""
    for one in second:
        if one in placed:
            before = one
        elif one in wanted:
            after.setdefault(before, []).append(one)
    merged: list[str] = []
    waiting = after.get("", [])
    for one in first:
        if one not in wanted:
            continue
        if one in known:
            merged += waiting
            waiting = after.get(one, [])
        merged.append(one)
    return merged + waiting


def _objects(base: Object, ours: Object, theirs: Object, path: Path, decide: Decide) -> Object:
    keys = [*ours, *(key for key in theirs if key not in ours)]
    if list(ours) == sorted(ours) and list(theirs) == sorted(theirs):
        keys.sort()  # as git sync writes them
    merged: Object = {}
    for key in keys:
        values = (base.get(key, MISSING), ours.get(key, MISSING), theirs.get(key, MISSING))
        value = merge_values(values, (*path, key), decide)
        if value is not MISSING:
            merged[key] = value
    return merged


def _elements(
    lists: tuple[list[object], list[object], list[object]],
    keys: tuple[list[str], list[str], list[str]],
    path: Path,
    decide: Decide,
) -> list[object]:
    base, ours, theirs = (dict(zip(k, v, strict=True)) for k, v in zip(keys, lists, strict=True))
    merged: dict[str, object] = {}
    by_index = all(one == [*map(str, range(len(one)))] for one in keys)
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        values = (base.get(key, MISSING), ours.get(key, MISSING), theirs.get(key, MISSING))
        step = int(key) if by_index else key
        value = merge_values(values, (*path, step), decide)
        if value is not MISSING:
            merged[key] = value
    order = merge_order(keys, merged, lambda: decide(path, Clash.ORDER, lists))
    return [merged[key] for key in order]


def _keys_of(
    base: list[object], ours: list[object], theirs: list[object], path: Path
) -> tuple[list[str], list[str], list[str]] | None:
    """What tells the elements of three lists apart; None where it would be a guess."""
    lists = (base, ours, theirs)
    if path and path[-1] == _BY_INDEX and len(base) == len(ours) == len(theirs):
        keys = [str(i) for i in range(len(base))]
        return keys, keys, keys
    if path and path[-1] in _SETS and (found := _three([_unique(one) for one in lists])):
        return found
    for name in _IDENTITIES:
        named = [[x.get(name) if isinstance(x, dict) else None for x in one] for one in lists]
        if found := _three([_unique(one) for one in named]):
            return found
    return None


def _three(found: list[list[str] | None]) -> tuple[list[str], list[str], list[str]] | None:
    whole = [one for one in found if one is not None]
    return (whole[0], whole[1], whole[2]) if len(whole) == len(found) else None


def _unique(values: Sequence[object]) -> list[str] | None:
    texts = [value for value in values if isinstance(value, str) and value]
    return texts if len(texts) == len(values) == len(set(texts)) else None


def _kept(one: list[Match], other: list[Match]) -> list[tuple[int, int, int, int]]:
    """Blocks that both kept: (start in base, in the one, in the other, how many lines)."""
    found = []
    i = j = 0
    while i < len(one) and j < len(other):
        start = max(one[i][0], other[j][0])
        ends = one[i][0] + one[i][2], other[j][0] + other[j][2]
        if (size := min(ends) - start) > 0:
            mine = one[i][1] + start - one[i][0]
            yours = other[j][1] + start - other[j][0]
            found.append((start, mine, yours, size))
        if ends[0] < ends[1]:
            i += 1
        else:
            j += 1
    return found
