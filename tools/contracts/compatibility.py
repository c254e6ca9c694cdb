"""Compatibility: what of a change would break somebody, and what to do instead.

Full: the new code must read what the old one wrote (stored, queued, replayed), and the old code
what the new one writes (while both run). So of an existing field nothing may change that either
side would refuse; only optional fields may be added. A question (command, query) may become more
liberal, because only its owner reads it, and the owner is asked by old senders too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]  # a JSON document

NEW_VERSION = "keep this version as it is and add `version=2` beside it; announce both for a while"
_ASKED = ("command", "query")
_LOW = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_HIGH = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_UNIONS = ("anyOf", "oneOf")
_DEPTH_MAX = 12


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that breaks. `path` is the field, "" for the message itself."""

    rule: str
    path: str
    what: str
    instead: str

    @property
    def field(self) -> str:
        """The top-level field that readers use."""
        return self.path.partition(".")[0].partition("[")[0]


def breaks(old: Json, new: Json) -> list[Break]:
    """Everything in which `new` is not fully compatible with `old`. Both are whole schemas."""
    comparison = _Comparison(old, new)
    return [*comparison.wire(), *comparison.shape(old, new, "", 0)]


class _Comparison:
    def __init__(self, old: Json, new: Json) -> None:
        self._old, self._new = old, new
        self._asked = old["x-basalt"]["kind"] in _ASKED

    def wire(self) -> Iterator[Break]:
        """What is not in the fields."""
        old, new = self._old["x-basalt"], self._new["x-basalt"]
        for name in ("kind", "topic", "key", "answer"):
            if old.get(name, "") != new.get(name, ""):
                was, now = old.get(name, ""), new.get(name, "")
                yield Break("moved", "", f"its {name} was {was!r} and is {now!r}", NEW_VERSION)

    def shape(self, old: Json, new: Json, path: str, depth: int) -> Iterator[Break]:
        """One place of the two schemas."""
        if depth > _DEPTH_MAX:  # a type that holds itself: it has been compared further up
            return
        old, new = _resolve(old, self._old), _resolve(new, self._new)
        if _is_union(old) or _is_union(new):
            yield from self._union(_options(old), _options(new), path, depth)
            return
        if old.get("type") != new.get("type"):
            yield from self._retyped(old.get("type"), new.get("type"), path)
            return
        yield from self._values(old, new, path)
        yield from self._limits(old, new, path)
        if "properties" in old or "properties" in new:
            yield from self._fields(old, new, path, depth)
        for name, mark in (("items", "[]"), ("additionalProperties", "{}")):
            if isinstance(old.get(name), dict) and isinstance(new.get(name), dict):
                yield from self.shape(old[name], new[name], path + mark, depth + 1)
            elif isinstance(new.get(name), dict) != isinstance(old.get(name), dict):
                yield from self._retyped(old.get(name), new.get(name), path + mark)

    def _fields(self, old: Json, new: Json, path: str, depth: int) -> Iterator[Break]:
        before, after = old.get("properties", {}), new.get("properties", {})
        must_before, must_after = set(old.get("required", ())), set(new.get("required", ()))
        added = [name for name in after if name not in before]
        for name, schema in before.items():
            place = f"{path}.{name}" if path else name
            if name not in after:
                yield self._gone(place, schema, {each: after[each] for each in added})
                continue
            if name in must_after - must_before:
                yield Break(
                    "made required", place, "it was optional and is required",
                    "keep its default: messages without it are stored, and still sent",
                )  # fmt: skip
            elif name in must_before - must_after and not self._asked:
                yield Break(
                    "made optional", place, "it was always there and may now be missing",
                    "keep it required: readers that are older take its presence for granted",
                )  # fmt: skip
            yield from self.shape(schema, after[name], place, depth + 1)
        for name in added:
            if name in must_after:
                place = f"{path}.{name}" if path else name
                yield Break(
                    "made required", place, "it is new and required",
                    "give it a default: messages without it are stored, and still sent",
                )  # fmt: skip

    def _gone(self, place: str, schema: Json, added: Json) -> Break:
        shape = _resolve(schema, self._old)
        twins = [name for name, each in added.items() if _same(shape, _resolve(each, self._new))]
        if len(twins) == 1:
            return Break(
                "renamed", place, f"it is gone; it looks as if it were {twins[0]} now",
                f"keep the old name, and add {twins[0]} as an optional field if you must",
            )  # fmt: skip
        return Break("removed", place, "it is gone", f"keep sending it, or {NEW_VERSION}")

    def _retyped(self, was: object, now: object, path: str) -> Iterator[Break]:
        if self._asked and now is None:
            return  # anything is accepted now
        yield Break(
            "retyped", path, f"it was {was or 'anything'} and is {now or 'anything'}",
            f"add a second, optional field of the new type, or {NEW_VERSION}",
        )  # fmt: skip

    def _values(self, old: Json, new: Json, path: str) -> Iterator[Break]:
        """Formats, patterns and enumerations."""
        for name in ("format", "pattern", "const"):
            if old.get(name) != new.get(name):
                if self._asked and new.get(name) is None:
                    continue
                rule = "retyped" if name == "format" else "narrowed"
                was, now = old.get(name), new.get(name)
                yield Break(
                    rule, path, f"its {name} was {was} and is {now}",
                    f"leave the {name}; check the stricter rule in the handler instead",
                )  # fmt: skip
        before, after = old.get("enum"), new.get("enum")
        if before == after:
            return
        lost = [value for value in before or () if value not in (after or ())]
        grown = [value for value in after or () if value not in (before or ())]
        if (lost and after) or (before is None and after):
            yield Break(
                "narrowed", path, f"it no longer allows {lost or 'other values'}",
                "keep the value readable; refuse it in the handler instead",
            )  # fmt: skip
        if (grown and before and not self._asked) or (after is None and before and not self._asked):
            yield Break(
                "widened", path, f"older readers refuse {grown or 'other values'}",
                "add an optional field beside it that carries the new value",
            )  # fmt: skip

    def _limits(self, old: Json, new: Json, path: str) -> Iterator[Break]:
        for names, sign in ((_LOW, 1), (_HIGH, -1)):
            for name in names:
                was, now = old.get(name), new.get(name)
                if was == now:
                    continue
                if now is not None and (was is None or (now - was) * sign > 0):
                    yield Break(
                        "narrowed", path, f"its {name} was {was} and is {now}",
                        "leave the limit; check the stricter one in the handler instead",
                    )  # fmt: skip
                elif not self._asked:
                    yield Break(
                        "widened", path, f"its {name} was {was} and is {now}: older readers"
                        " refuse what it allows now", NEW_VERSION,
                    )  # fmt: skip

    def _union(self, old: list[Json], new: list[Json], path: str, depth: int) -> Iterator[Break]:
        """Options are paired by what they are; an option of old that has no pair is narrowed."""
        before = {_name(option, self._old): option for option in old}
        after = {_name(option, self._new): option for option in new}
        for name, option in before.items():
            if name in after:
                yield from self.shape(option, after[name], path, depth + 1)
            else:
                yield Break(
                    "narrowed" if name == "null" else "retyped", path,
                    f"it no longer allows {name}", "keep the option; refuse it in the handler",
                )  # fmt: skip
        for name in after.keys() - before.keys():
            if not self._asked:
                yield Break(
                    "widened" if name == "null" else "retyped", path,
                    f"older readers refuse {name}", NEW_VERSION,
                )  # fmt: skip


def _resolve(schema: Json, root: Json) -> Json:
    while "$ref" in schema:
        target = root.get("$defs", {})[schema["$ref"].rpartition("/")[2]]
        schema = target | {key: value for key, value in schema.items() if key != "$ref"}
    if len(schema.get("allOf", ())) == 1:
        return _resolve(schema["allOf"][0], root)
    return schema


def _is_union(schema: Json) -> bool:
    return any(name in schema for name in _UNIONS)


def _options(schema: Json) -> list[Json]:
    for name in _UNIONS:
        if name in schema:
            return list(schema[name])
    return [schema]


def _name(option: Json, root: Json) -> str:
    """What an option is, apart from its limits."""
    shape = _resolve(option, root)
    kind = str(shape.get("type", "anything"))
    return kind if kind != "object" else f"object {shape.get('title', '')}".strip()


def _same(one: Json, other: Json) -> bool:
    quiet = ("description", "title", "default", "examples")
    shapes = [{k: v for k, v in schema.items() if k not in quiet} for schema in (one, other)]
    return shapes[0] == shapes[1]
