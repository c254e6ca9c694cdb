"""Merges of whole apps drawn by chance: nothing is lost, and nothing broken ever comes out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.studio.appsmith import App, Section, bundle, diff, export, parse, read_source
from services.studio.appsmith.compare import MISSING
from services.studio.appsmith.merge import Merged, Side, merge
from services.studio.appsmith.merge.safety import faults
from services.studio.appsmith.merge.values import same
from tests.services.studio.appsmith.merges import listed
from tests.services.studio.appsmith.sketched_renames import RENAMES
from tests.services.studio.appsmith.sketches import edited, sketches

pytestmark = pytest.mark.thorough


def sound(found: Merged, *sides: App) -> None:
    """It reads again, exactly; and nothing is odd in it that was not odd in a side."""
    tree = export(found.app)
    again = parse(tree)
    assert again.tree() == tree
    assert list(again) == list(found.app)
    known = {fault for side in sides for s in side.sections.values() for fault in faults(s)}
    assert {fault for s in again.sections.values() for fault in faults(s)} <= known
    pages = {e.page for e in again if e.kind == "page"}
    assert set(listed(again)) == pages
    assert sum(listed(again).values()) == 1
    bundle(again)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_of_one_sides_work_alone_every_merge_is_that_side(data: st.DataObject) -> None:
    sketch = data.draw(sketches())
    base, other = parse(sketch.files()), parse(data.draw(edited(sketch, more=RENAMES)).files())

    for sides in ((base, other, base), (base, base, other), (base, other, other)):
        found = merge(*sides)
        assert found.app.tree() == other.tree()
        assert found.conflicts == ()


@settings(max_examples=800, deadline=None)
@given(st.data(), st.booleans())
def test_whatever_both_did_the_result_is_whole(data: st.DataObject, renames: bool) -> None:
    more = RENAMES if renames else []
    sketch = data.draw(sketches())
    sketch = data.draw(edited(sketch, more=more))
    base = parse(sketch.files())
    ours, theirs = (parse(data.draw(edited(sketch, most=6, more=more)).files()) for _ in range(2))

    found = merge(base, ours, theirs)

    sound(found, ours, theirs)
    assert merge(base, ours, theirs) == found
    chosen = {one.conflict_id: data.draw(st.sampled_from(Side)) for one in found.conflicts}
    sound(merge(base, ours, theirs, chosen), ours, theirs)
    untouched = {p for p, c in base.files.items() if ours.files.get(p) == theirs.files.get(p) == c}
    assert {p for p in untouched if found.app.files[p] != base.files[p]} == set()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_parts_that_differ_are_enough(data: st.DataObject) -> None:
    sketch = data.draw(sketches())
    base = parse(sketch.files())
    sides = [base, *(parse(data.draw(edited(sketch)).files()) for _ in range(2))]
    names = {name for side in sides for name in side.sections}
    files = {name: [getattr(s.sections.get(name), "files", None) for s in sides] for name in names}
    alike = {name for name, (b, o, t) in files.items() if b == o == t and name != "app"}

    parts = [App(s.format_version, drop(s, alike)) for s in sides]
    found = merge(parts[0], parts[1], parts[2])

    whole = merge(sides[0], sides[1], sides[2])
    assert {**found.app.sections, **{n: base.sections[n] for n in alike}} == whole.app.sections
    assert found.conflicts == whole.conflicts


def drop(app: App, names: set[str]) -> dict[str, Section]:
    return {name: one for name, one in app.sections.items() if name not in names}


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_edits_of_other_entities_both_survive(data: st.DataObject) -> None:
    sketch = data.draw(sketches())
    base = parse(sketch.files())
    ours, theirs = (parse(data.draw(edited(sketch, most=2)).files()) for _ in range(2))
    mine = {one.entity.entity_id: one for one in diff(base, ours)}
    yours = {one.entity.entity_id: one for one in diff(base, theirs)}

    found = merge(base, ours, theirs)

    if found.conflicts or mine.keys() & yours.keys():
        return
    digests = {e.entity_id: e.digest for e in found.app}
    expected = {e.entity_id: e.digest for e in base}
    for one in [*mine.values(), *yours.values()]:
        expected.pop(one.entity.entity_id, None)
        if one.after:
            expected[one.after.entity_id] = one.after.digest
    assert digests == expected


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_without_a_conflict_no_change_of_either_side_is_lost(data: st.DataObject) -> None:
    sketch = data.draw(sketches())
    base = parse(sketch.files())
    ours, theirs = (parse(data.draw(edited(sketch, most=3)).files()) for _ in range(2))

    found = merge(base, ours, theirs)

    if found.conflicts:
        return
    whole = values_of(found.app)
    for side, other in ((values_of(ours), values_of(theirs)), (values_of(theirs), values_of(ours))):
        was = values_of(base)
        for place in was.keys() | side.keys():
            mine = side.get(place, MISSING)
            if same(mine, was.get(place, MISSING)):
                continue
            if same(other.get(place, MISSING), was.get(place, MISSING)):
                assert same(whole.get(place, MISSING), mine), place


def values_of(app: App) -> dict[tuple[str, str], object]:
    """Every property, text and place in an app, by entity; lists that merge are left out."""
    found: dict[tuple[str, str], object] = {}
    for section in app.sections.values():
        for entity in section.entities:
            source = read_source(section, entity)
            found[(entity.entity_id, "text")] = source.text
            found[(entity.entity_id, "place")] = entity.parent_id
            flat = [((), source.value or {})]
            while flat:
                path, value = flat.pop()
                if isinstance(value, dict) and value:
                    flat += [((*path, key), inner) for key, inner in value.items()]
                elif "dynamicBindingPathList" not in path and "layouts" not in path:
                    found[(entity.entity_id, ".".join(path))] = value
    return {place: value for place, value in found.items() if place[1] != "pages"}
