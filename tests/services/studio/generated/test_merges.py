"""A rename of one side and edits of the other merge to the app that was planned with both."""

import copy
import json
import secrets
from collections.abc import Callable, Iterator
from operator import eq
from random import Random

import pytest

from services.studio.appsmith import App, EditRefused, parse
from services.studio.appsmith.merge import Clash, Merged, Side, merge
from services.studio.references.rename import rename
from tests.services.studio.generated.codes import Ref
from tests.services.studio.generated.forks import edited, marked
from tests.services.studio.generated.plans import Bound, Plan, Widget, a_plan
from tests.services.studio.generated.written import files_of, id_of

pytestmark = pytest.mark.thorough

NEW, OTHER = "Renommé_9", "Autre_9"
APPS = 8

FORMATS = pytest.mark.parametrize("version", [2, 3, 4, 5])
MARKED = pytest.mark.parametrize("ids", [True, False], ids=["with ids", "without ids"])


def plans(version: int, count: int = APPS) -> Iterator[tuple[int, Plan, Random, str]]:
    """With dice, and the key of something on the first page."""
    first = secrets.randbelow(10**9)
    for seed in range(first, first + count):
        plan, dice = a_plan(seed, version), Random(seed)
        yield seed, plan, dice, dice.choice([*plan.pages[0].names])


def written(plan: Plan, key: str = "", name: str = NEW, *, ids: bool = True) -> App:
    page = plan.pages[0]
    files = files_of(plan, (page.folder, key, name) if key else ("", "", ""))
    return parse(marked(files, plan, page, {key: name} if key else {}) if ids else files)


def renamed(app: App, entity_id: str, name: str, *, mentions: bool = False) -> App:
    entity = app.find(entity_id)
    assert entity is not None
    section = app.sections[entity.section]
    return app.with_sections([rename(section, entity_id, name, with_mentions=mentions).section])


def check(found: Merged, expected: App, seed: int, same: Callable[..., bool] = eq) -> None:
    """It is what was expected, to the byte unless otherwise said, and whole."""
    wanted, files = expected.files, found.app.files
    assert wanted.keys() == files.keys(), f"seed {seed}: {wanted.keys() ^ files.keys()}"
    odd = [path for path in sorted(wanted) if not same(wanted[path], files[path])]
    shown = [(wanted[path].decode(), files[path].decode()) for path in odd[:1]]
    assert not odd, f"seed {seed}: {odd} {shown}"
    assert list(parse(found.app.tree())) == list(found.app)


def same_json(one: bytes, other: bytes) -> bool:
    """A file that both sides changed is laid out anew."""
    return one == other or json.loads(one) == json.loads(other)


@MARKED
@FORMATS
def test_a_rename_and_edits_are_both_there(version: int, ids: bool) -> None:
    for seed, plan, dice, key in plans(version):
        other = edited(plan, dice, key)
        base, now, then = (
            written(plan, ids=ids),
            written(plan, key, ids=ids),
            written(other, ids=ids),
        )

        found = [merge(base, now, then), merge(base, then, now)]

        for one in found:
            check(one, written(other, key, ids=ids), seed)
            assert one.conflicts == ()


@FORMATS
def test_renames_of_both_and_edits_are_all_there(version: int) -> None:
    for seed, plan, dice, key in plans(version):
        other = edited(plan, dice, key)
        second = dice.choice([one for one in plan.pages[0].names if one != key])
        base, now = written(plan), written(plan, key)
        then = renamed(written(other), id_of(other, other.pages[0], second), OTHER)
        expected = renamed(written(other, key), id_after(other, second, key), OTHER)

        found = [merge(base, now, then), merge(base, then, now)]

        for one in found:
            check(one, expected, seed)
            assert one.conflicts == ()


def id_after(plan: Plan, key: str, renamed_key: str) -> str:
    after = copy.deepcopy(plan)
    after.pages[0].names[renamed_key] = NEW
    return id_of(after, after.pages[0], key)


@FORMATS
def test_a_renamed_function_and_edits_are_both_there(version: int) -> None:
    for seed, plan, dice, _ in plans(version):
        script = dice.choice(plan.pages[0].scripts)
        other = edited(plan, dice, script.key)
        function = id_of(plan, plan.pages[0], f"{script.key}.{dice.choice([*script.bodies])}")
        base, then = written(plan), written(other)
        try:
            now, expected = renamed(base, function, NEW), renamed(then, function, NEW)
        except EditRefused:
            continue

        found = [merge(base, now, then), merge(base, then, now)]

        for one in found:
            check(one, expected, seed)
            assert one.conflicts == ()


@FORMATS
def test_two_names_for_one_thing_are_one_conflict(version: int) -> None:
    for seed, plan, dice, key in plans(version):
        other = edited(plan, dice, key)
        base, now, then = written(plan), written(plan, key), written(other, key, OTHER)

        found = merge(base, now, then)
        (conflict,) = found.conflicts
        chosen = merge(base, now, then, {conflict.conflict_id: Side.THEIRS})

        assert conflict.path[-1] in ("name", "widgetName")
        assert conflict.clash is Clash.CHANGED
        assert (conflict.base, conflict.ours, conflict.theirs) == (
            plan.pages[0].names[key],
            NEW,
            OTHER,
        )
        check(found, written(other, key), seed)
        check(chosen, written(other, key, OTHER), seed)
        assert [one.side for one in chosen.conflicts] == [Side.THEIRS]
        assert chosen.unknown == ()


@FORMATS
def test_names_in_texts_follow_where_the_rename_changed_them(version: int) -> None:
    for seed, plan, dice, key in plans(version):
        other = edited(plan, dice, key)
        base, then = written(plan), written(other)
        entity_id = id_of(plan, plan.pages[0], key)
        now = renamed(base, entity_id, NEW, mentions=True)
        if now.files == written(plan, key).files:
            continue

        found = merge(base, now, then)

        check(found, renamed(then, entity_id, NEW, mentions=True), seed)


@FORMATS
def test_a_renamed_page_and_edits_are_both_there(version: int) -> None:
    for seed, plan, dice, key in plans(version):
        other = edited(plan, dice, key)
        base, now, then = with_page_ids(plan), with_page_ids(moved(plan)), with_page_ids(other)

        found = [merge(base, now, then), merge(base, then, now)]

        for one in found:
            check(one, with_page_ids(moved(other)), seed)
            assert one.conflicts == ()


def moved(plan: Plan) -> Plan:
    """With another name of the first page."""
    after = copy.deepcopy(plan)
    page = after.pages[0]
    old, page.folder = page.folder, NEW
    for made in (one for actions in page.on_load for one in actions):
        for value in made.values():
            if isinstance(value, Bound) and value.text[0] == old:
                made |= {
                    k: Bound((NEW, *v.text[1:]), code=False) for k, v in made.items() if v is value
                }
    return after


def with_page_ids(plan: Plan) -> App:
    files = written(plan).files
    page = plan.pages[0].folder
    path = f"pages/{page}/{page if plan.version == 5 else 'canvas'}.json"
    start = files[path].index(b'"unpublishedPage"')
    files[path] = files[path][:start] + b'"gitSyncId": "6_page", ' + files[path][start:]
    return parse(files)


def test_a_widget_in_another_box_and_edits_are_both_there() -> None:
    count = 0
    for seed, plan, dice, key in plans(5, 4 * APPS):
        other = edited(plan, dice, key)
        holders = [one.key for one in plan.pages[0].widgets if one.holds]
        loose = [one.key for one in plan.pages[0].widgets if not one.holds]
        if not holders or not loose:
            continue
        one, box = dice.choice(loose), dice.choice(["", *holders])
        base, now, then = written(plan), written(put(plan, one, box)), written(other)

        found = [merge(base, now, then), merge(base, then, now)]

        for each in found:
            check(each, written(put(other, one, box)), seed, same_json)
            assert each.conflicts == ()
        count += 1
    assert count


def test_what_goes_into_a_box_goes_where_the_box_went() -> None:
    count = 0
    for seed, plan, dice, key in plans(5, 4 * APPS):
        holders = [one.key for one in plan.pages[0].widgets if one.holds and not one.parent]
        if len(holders) < 2:
            continue
        one, box = dice.sample(holders, 2)
        other = filled(edited(plan, dice, key), one)
        base, now = written(plan), written(put(plan, one, box), one)
        then = written(other)

        found = [merge(base, now, then), merge(base, then, now)]

        for each in found:
            check(each, written(put(other, one, box), one), seed, same_json)
            assert each.conflicts == ()
        count += 1
    assert count


def filled(plan: Plan, box: str) -> Plan:
    after = copy.deepcopy(plan)
    after.pages[0].names |= {"wmore": "More", "wlast": "Last"}
    after.pages[0].widgets += [
        Widget("wmore", box, True, {"type": "CONTAINER_WIDGET"}),
        Widget("wlast", "wmore", False, {"type": "TEXT_WIDGET"}),
    ]
    return after


def put(plan: Plan, key: str, box: str) -> Plan:
    after = copy.deepcopy(plan)
    next(one for one in after.pages[0].widgets if one.key == key).parent = box
    return after


def test_a_plan_uses_what_is_renamed() -> None:
    """Else the tests above would show little."""
    used = 0
    for _, plan, dice, key in plans(5, 4 * APPS):
        other = edited(plan, dice, key)
        texts = [
            one.text
            for w in other.pages[0].widgets
            for one in w.own.values()
            if isinstance(one, Bound)
        ]
        used += any(isinstance(part, Ref) and part.entity == key for text in texts for part in text)

    assert used > APPS
