"""Merge one entity that both sides have: its JSON, its text, or its bytes as one value."""

from services.studio.appsmith.compare import MISSING
from services.studio.appsmith.entities import Entity, Kind, Object, part
from services.studio.appsmith.merge.conflicts import Clash, Decide, Referee, Side, Values, about
from services.studio.appsmith.merge.presence import State
from services.studio.appsmith.merge.safety import exact
from services.studio.appsmith.merge.values import (
    TEXT,
    merge_texts,
    merge_values,
    same,
)
from services.studio.appsmith.sections import FORMAT_TREE
from services.studio.appsmith.sources import WITH_BODY, body_path, encode_json

Files = dict[str, bytes]

_BODY = ("unpublishedAction", "actionConfiguration")


def merge_entity(one: str, sides: tuple[State, State, State], referee: Referee) -> Files:
    """The merged entity's files: a side's own bytes wherever they are what comes out."""
    was, now, then = (_files(side, one) for side in sides)
    if now == then or was == then:
        return now
    if was == now:
        return then
    entity = sides[1].entities[one]
    tree = entity.kind is Kind.PAGE and sides[1].section.format_version == FORMAT_TREE
    if was and entity.kind is not Kind.FILE and not tree:
        apart = referee.apart()  # what it takes down counts only when it comes to an end
        merged = _merged(entity, (was, now, then), about(apart, entity))
        if merged is not None:
            referee.take(apart)
            return merged
    values = (sides[0].shown(one), sides[1].shown(one), sides[2].shown(one))
    clash = Clash.CHANGED if was else Clash.ADDED
    side = referee.decide(entity, (), clash, values)
    return now if side is Side.OURS else then


def _merged(entity: Entity, files: tuple[Files, Files, Files], decide: Decide) -> Files | None:
    """None where it has to be one value."""
    was, now, then = (exact(side[entity.path]) for side in files)
    if was is None or now is None or then is None:
        return None
    found: Files = {}
    body: str | None = None
    if entity.kind in WITH_BODY:
        path = body_path(entity)
        texts = [_text(side.get(path)) for side in files]
        if any(text is None and path in side for text, side in zip(texts, files, strict=True)):
            return None
        text = _merged_text((texts[0], texts[1], texts[2]), decide)
        if isinstance(text, str):
            found[path] = text.encode()
        sources = zip(texts, (was, now, then), strict=True)
        if all(text is not None and _body(value) == text for text, value in sources):
            assert isinstance(text, str), "three texts make one"
            body = text
            was, now, then = (_with_body(value, None) for value in (was, now, then))
    merged = merge_values((was, now, then), (), decide)
    assert isinstance(merged, dict), "three objects make one"
    whole = merged if body is None else _with_body(merged, body)
    return {**found, entity.path: _written(whole, files, entity.path)}


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


def _body(value: Object) -> object:
    return part(value, *_BODY).get("body")


def _with_body(value: Object, body: str | None) -> Object:
    action = part(value, _BODY[0])
    configuration = {**part(value, *_BODY), "body": body}
    return {**value, _BODY[0]: {**action, _BODY[1]: configuration}}


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
