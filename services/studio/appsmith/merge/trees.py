"""Format 4: merge the widget trees of a page's `canvas.json`, node by node.

Each node's own properties merge as JSON; what it is inside of, and the order inside, merge beside
them. Only trees whose nodes can be told apart by their ids merge so: see `read_tree`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from services.studio.appsmith.canvas import canvas_nodes, layouts_of
from services.studio.appsmith.compare import MISSING
from services.studio.appsmith.entities import Entity, Kind, Object, part
from services.studio.appsmith.merge.conflicts import Clash, Decide, Referee, Side, about
from services.studio.appsmith.merge.presence import Kept
from services.studio.appsmith.merge.safety import Unfit, exact
from services.studio.appsmith.merge.values import merge_order, merge_values

_PLACE = "parentId"


@dataclass(frozen=True)
class Tree:
    """A page's JSON taken apart. `shells`: each node's own properties, where its children (if it
    has any) and its place (if `parentId` says no more than the tree does) are left open.
    `inside`: the order within each; a root is inside of `""` and its layout's number."""

    envelope: Object
    shells: Mapping[str, Object]
    around: Mapping[str, str]
    inside: Mapping[str, list[str]]
    roots: tuple[str, ...]
    placed: frozenset[str]


def read_tree(path: str, content: bytes) -> Tree | None:
    """Take a page's JSON apart; None when its nodes can't be told apart, or it is not exact."""
    value = exact(content)
    if value is None:
        return None
    layouts = layouts_of(value)
    listed = part(value, "unpublishedPage").get("layouts")
    if not isinstance(listed, list) or len(layouts) != len(listed):
        return None
    nodes = list(canvas_nodes(path, value))
    ids = {node.entity_id: str(node.value.get("widgetId")) for node in nodes}
    if any(key != f"{Kind.WIDGET}:{path}#{own}" for key, own in ids.items()):
        return None
    shells: dict[str, Object] = {}
    around: dict[str, str] = {}
    inside: dict[str, list[str]] = {}
    placed = set()
    for node in nodes:
        children = node.value.get("children", [])
        if not isinstance(children, list) or not all(isinstance(x, dict) for x in children):
            return None
        shell = {k: [] if k == "children" else v for k, v in node.value.items()}
        if node.parent_id and shell.get(_PLACE) == ids[node.parent_id]:
            shell[_PLACE] = ""
            placed.add(node.entity_id)
        shells[node.entity_id], around[node.entity_id] = shell, node.parent_id
        if node.parent_id:
            inside.setdefault(node.parent_id, []).append(node.entity_id)
    roots = tuple(node.entity_id for node in nodes if not node.parent_id)
    if len(roots) != len(layouts):
        return None
    page = part(value, "unpublishedPage")
    open_layouts = [{k: None if k == "dsl" else v for k, v in x.items()} for x in layouts]
    envelope: Object = {**value, "unpublishedPage": {**page, "layouts": open_layouts}}
    return Tree(envelope, shells, around, inside, roots, frozenset(placed))


def merge_trees(
    trees: tuple[Tree, Tree, Tree],
    entities: Mapping[str, Entity],
    page: Entity,
    kept: Kept,
    referee: Referee,
) -> Object:
    """The merged page. Raises Unfit when the sides don't make one tree."""
    base, ours, theirs = trees
    if not base.roots == ours.roots == theirs.roots:
        raise Unfit("the pages have other roots")
    about_page: Decide = about(referee, page)
    envelope = merge_values((base.envelope, ours.envelope, theirs.envelope), (), about_page)
    stay = sorted((ours.shells.keys() | theirs.shells.keys()) & kept.all)
    shells = {i: _shell(trees, entities[i], kept, referee) for i in stay}
    around = {i: _around(trees, entities[i], kept, shells, referee) for i in stay}
    _check_grounded(around)
    inside: dict[str, list[str]] = {}
    for one, outer in around.items():
        inside.setdefault(outer, []).append(one)
    for outer, ids in inside.items():
        if outer:
            order = _order(trees, outer, ids, entities, referee)
            shells[outer]["children"] = [shells[i] for i in order]
    for one, outer in around.items():
        if any(one in tree.placed for tree in trees) and shells[one].get(_PLACE) == "":
            shells[one][_PLACE] = shells[outer].get("widgetId", "")
    assert isinstance(envelope, dict), "three objects make one"
    for layout, root in zip(layouts_of(envelope), base.roots, strict=True):
        layout["dsl"] = shells[root]
    return envelope


def _shell(trees: tuple[Tree, Tree, Tree], entity: Entity, kept: Kept, referee: Referee) -> Object:
    one = entity.entity_id
    if one not in kept.both:
        return dict((trees[1] if one in kept.ours else trees[2]).shells[one])
    values = tuple(tree.shells.get(one, MISSING) for tree in trees)
    merged = merge_values((values[0], values[1], values[2]), (), about(referee, entity))
    assert isinstance(merged, dict), "two objects make one"
    return dict(merged)


def _around(
    trees: tuple[Tree, Tree, Tree],
    entity: Entity,
    kept: Kept,
    shells: Mapping[str, Object],
    referee: Referee,
) -> str:
    """What a node is inside of now."""
    one = entity.entity_id
    if one not in kept.both:
        outer = (trees[1] if one in kept.ours else trees[2]).around[one]
        if outer and outer not in shells:
            raise Unfit(f"what {entity.name} is inside of is gone")
        return outer
    was, now, then = (tree.around.get(one) for tree in trees)
    assert now is not None, "it is in both"
    assert then is not None, "it is in both"
    if now == then or was == then:
        first, second = now, then
    elif was == now:
        first, second = then, now
    else:
        values = (was or MISSING, now, then)
        side = referee.decide(entity, (_PLACE,), Clash.PLACE, values)
        first, second = (now, then) if side is Side.OURS else (then, now)
    for outer in (first, second):
        if not outer or outer in shells:
            return outer
    raise Unfit(f"what {entity.name} was inside of is gone")


def _order(
    trees: tuple[Tree, Tree, Tree],
    outer: str,
    ids: list[str],
    entities: Mapping[str, Entity],
    referee: Referee,
) -> list[str]:
    was, now, then = (tree.inside.get(outer, []) for tree in trees)

    def decide() -> Side:
        short = tuple([i.rpartition("#")[2] for i in order] for order in (was, now, then))
        values = (short[0], short[1], short[2])
        return referee.decide(entities[outer], ("children",), Clash.ORDER, values)

    order = merge_order((was, now, then), ids, decide)
    missing = set(ids) - set(order)  # where a node stayed because its new place is gone
    return [*order, *(i for i in ids if i in missing)]


def _check_grounded(around: Mapping[str, str]) -> None:
    grounded = {""}
    for start in around:
        way: list[str] = []
        at, seen = start, set[str]()
        while at not in grounded:
            if at in seen:
                raise Unfit("widgets would be inside of each other")
            seen.add(at)
            way.append(at)
            at = around[at]
        grounded.update(way)
