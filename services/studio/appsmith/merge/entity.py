"""Merge one entity that both sides have: its JSON, its text, or its bytes as one value."""

from services.studio.appsmith.compare import MISSING
from services.studio.appsmith.entities import Entity, Kind, Object
from services.studio.appsmith.merge.conflicts import Clash, Decide, Referee, Side, Values, about
from services.studio.appsmith.merge.presence import State
from services.studio.appsmith.merge.safety import exact
from services.studio.appsmith.merge.values import (
    TEXT,
    merge_texts,
    merge_values,
    same,
)
from services.studio.appsmith.sources import (
    WITH_BODY,
    body_in,
    body_path,
    encode_json,
    is_whole,
    with_body,
)

Files = dict[str, bytes]


def merge_entity(one: str, sides: tuple[State, State, State], referee: Referee) -> Files:
    """The merged entity's files: a side's own bytes wherever they are what comes out."""
    was, now, then = (_files(side, one) for side in sides)
    if now == then or was == then:
        return now
    if was == now:
        return then
    entity = sides[1].entities[one]
    apart = referee.apart()  # what it takes down counts only when it comes to an end
    if _mergeable(one, sides):
        merged = _merged(entity, (was, now, then), about(apart, entity))
        if merged is not None:
            referee.take(apart)
            return merged
    values = (sides[0].shown(one), sides[1].shown(one), sides[2].shown(one))
    clash = Clash.CHANGED if was else Clash.ADDED
    side = referee.decide(entity, (), clash, values)
    return now if side is Side.OURS else then


def _mergeable(one: str, sides: tuple[State, State, State]) -> bool:
    """Whether all sides have it, in the same file, and know what is in it."""
    found = [side.entities.get(one) for side in sides]
    there = [entity for entity in found if entity is not None]
    if len(there) < len(found) or len({entity.path for entity in there}) > 1:
        return False
    kind = there[0].kind
    return kind is not Kind.FILE and not (kind is Kind.PAGE and sides[1].section.has_trees)


def _merged(entity: Entity, files: tuple[Files, Files, Files], decide: Decide) -> Files | None:
    """None where it has to be one value."""
    was, now, then = (exact(side[entity.path]) for side in files)
    if was is None or now is None or then is None:
        return None
    found: Files = {}
    body: str | None = None
    texts = _texts(entity, (was, now, then), files)
    path = body_path(entity) if entity.kind in WITH_BODY else ""
    if any(text is None and path in side for text, side in zip(texts, files, strict=True)):
        return None
    if entity.kind in WITH_BODY and not (is_whole(entity) and None in texts):
        text = _merged_text((texts[0], texts[1], texts[2]), decide)
        if isinstance(text, str) and not is_whole(entity):
            found[path] = text.encode()
        inner = [body_in(entity, value) for value in (was, now, then)]
        if isinstance(text, str) and None not in texts and inner == texts:
            body = text
            was, now, then = (with_body(entity, value, "") for value in (was, now, then))
    merged = merge_values((was, now, then), (), decide)
    assert isinstance(merged, dict), "three objects make one"
    whole = merged if body is None else with_body(entity, merged, body)
    return {**found, entity.path: _written(whole, files, entity.path)}


def _texts(
    entity: Entity, values: tuple[Object, Object, Object], files: tuple[Files, Files, Files]
) -> list[str | None]:
    """The bodies: files, or in the old formats texts in the JSON."""
    if entity.kind not in WITH_BODY:
        return [None, None, None]
    if is_whole(entity):
        return [body_in(entity, value) for value in values]
    return [_text(side.get(body_path(entity))) for side in files]


def _merged_text(texts: tuple[str | None, str | None, str | None], decide: Decide) -> object:
    was, now, then = texts
    if was is not None and now is not None and then is not None:
        return merge_texts(was, now, then, decide)
    values: Values = (_or_missing(was), _or_missing(now), _or_missing(then))
    return merge_values(values, TEXT, decide)


def _written(value: Object, files: tuple[Files, Files, Files], path: str) -> bytes:
    """A side's bytes when they say the same, so that nothing is only laid out anew."""
    for side in files[1:]:
        if same(exact(side[path]), value):
            return side[path]
    return encode_json(value, files[1][path])


def _files(side: State, one: str) -> Files:
    entity = side.entities.get(one)
    return {path: side.section.files[path] for path in entity.paths} if entity else {}


def _text(content: bytes | None) -> str | None:
    try:
        return None if content is None else content.decode()
    except UnicodeDecodeError:
        return None


def _or_missing(text: str | None) -> object:
    return MISSING if text is None else text
