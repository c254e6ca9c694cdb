"""Apps made at random of which it is known what their code uses: all of it is found and nothing
else, and a rename changes exactly that. `python -m tests.services.studio.generated`: more of them.
"""

import json

import pytest

from services.studio.appsmith import parse
from tests.services.studio.generated.plans import a_plan
from tests.services.studio.generated.properties import check_references, check_renames
from tests.services.studio.generated.written import files_of, planted_in

pytestmark = pytest.mark.thorough

FORMATS = (2, 3, 4, 5)
SEEDS = range(24)
RENAMED_SEEDS = range(8)


@pytest.mark.parametrize("version", FORMATS)
def test_what_is_found_is_what_was_planted(version: int) -> None:
    count = sum(check_references(a_plan(n, version), f"seed {n}") for n in SEEDS)

    assert count > 1000


@pytest.mark.parametrize("version", FORMATS)
def test_a_rename_is_the_app_planned_with_that_name_and_back(version: int) -> None:
    count = sum(check_renames(a_plan(n, version), f"seed {n}") for n in RENAMED_SEEDS)

    assert count > 50


@pytest.mark.parametrize("version", FORMATS)
def test_a_plan_is_an_app_with_all_that_it_should_have(version: int) -> None:
    plans = [a_plan(seed, version) for seed in SEEDS]

    apps = [parse(files_of(plan)) for plan in plans]

    kinds = {one.kind for app in apps for one in app}
    assert kinds >= {"page", "widget", "query", "script", "script_function"}
    text = json.dumps([c.decode() for app in apps for c in app.files.values()], ensure_ascii=False)
    for planned in ("layoutOnLoadActions", "template", "primaryColumns", "dynamicTriggerPathList"):
        assert planned in text
    names = [{*page.names.values()} for plan in plans for page in plan.pages if len(plan.pages) > 1]
    assert any(one & other for one in names for other in names if one is not other)


def test_the_same_seed_is_the_same_app() -> None:
    one, other = a_plan(7, 5), a_plan(7, 5)

    assert files_of(one) == files_of(other)
    assert planted_in(one, one.pages[0]) == planted_in(other, other.pages[0])
