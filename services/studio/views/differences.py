"""Differences of two revisions as clients see them: bounded, values as JSON texts."""

from collections.abc import Collection, Iterator, Mapping

from contracts.studio.app import (
    EntityDifference,
    EntityKind,
    LineDifference,
    PropertyDifference,
)
from services.studio.appsmith import Difference, Section
from services.studio.appsmith.compare import (
    CHANGES_MAX,
    Detail,
    PropertyChange,
    details,
    path_text,
)
from services.studio.appsmith.lines import Hunk
from services.studio.appsmith.match import matched_diff
from services.studio.appsmith.shown import SHOWN_CHARS_MAX, cut, shown_value


def differences_of(
    was: Mapping[str, Section],
    now: Mapping[str, Section],
    wanted: Collection[str] = (),
    *,
    detailed: bool = False,
) -> list[EntityDifference]:
    """By entity, in order of id; `wanted`: only these ids, old or new, if there are any."""
    found = [
        one for one in matched_diff(was, now) if not wanted or not _ids(one).isdisjoint(wanted)
    ]
    if not detailed:
        return [_entity(one) for one in found]
    return list(_detailed(found, was, now))


def _detailed(
    found: list[Difference], was: Mapping[str, Section], now: Mapping[str, Section]
) -> Iterator[EntityDifference]:
    left = SHOWN_CHARS_MAX
    for one, detail in details(found, was, now, CHANGES_MAX):
        plain = _entity(one)
        if left <= 0:
            yield plain.model_copy(update={"more": True})
            continue
        full = plain.model_copy(update=_shown(detail))
        left -= sum(len(p.before or "") + len(p.after or "") for p in full.properties)
        left -= sum(len(x.before) + len(x.after) for x in full.lines)
        yield full


def _ids(one: Difference) -> set[str]:
    return {each.entity_id for each in (one.before, one.after) if each}


def _entity(one: Difference) -> EntityDifference:
    return EntityDifference(
        entity_id=one.entity.entity_id,
        kind=EntityKind(one.entity.kind.value),
        name=one.entity.name,
        page=one.entity.page,
        change=one.change.value,
        digest_before=one.before.digest if one.before else "",
        digest_after=one.after.digest if one.after else "",
        previous_entity_id="".join(_ids(one) - {one.entity.entity_id}),
    )


def _shown(detail: Detail) -> dict[str, object]:
    return {
        "properties": [_property(change) for change in detail.properties],
        "lines": [_lines(hunk) for hunk in detail.hunks],
        "more": detail.more,
        "unlisted": detail.unlisted,
    }


def _property(one: PropertyChange) -> PropertyDifference:
    before, before_cut = shown_value(one.before)
    after, after_cut = shown_value(one.after)
    return PropertyDifference(
        path=path_text(one.path),
        change=one.change.value,
        before=before,
        after=after,
        cut=before_cut or after_cut,
    )


def _lines(hunk: Hunk) -> LineDifference:
    before, before_cut = cut(hunk.before)
    after, after_cut = cut(hunk.after)
    return LineDifference(
        line_before=hunk.line_before,
        line_after=hunk.line_after,
        before=before,
        after=after,
        cut=before_cut or after_cut,
    )
