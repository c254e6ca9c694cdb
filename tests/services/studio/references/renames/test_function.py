"""Renames of a script's function: its member in code, its metadata, its files; and back."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.studio.appsmith import App, EditRefused, EditRule, Kind
from services.studio.appsmith.sources import read_source
from services.studio.references.rename import Renamed, rename
from tests.services.studio.references.renames.pages import CODE, RENAMED, an_app, json_at

FORMATS = pytest.mark.parametrize("format_version", [2, 3, 4, 5])
HOME = "page:Home"
SAVE = "script_function:pages/Home/queries/Tools-save"


def renamed(app: App, name: str, entity_id: str = SAVE) -> tuple[Renamed, App]:
    done = rename(app.sections[HOME], entity_id, name)
    return done, app.with_sections([done.section])


def text_of(app: App, name: str) -> str:
    """What a widget says."""
    for entity in app.sections[HOME].entities:
        if entity.kind is Kind.WIDGET and entity.name == name:
            return str((read_source(app.sections[HOME], entity).value or {})["text"])
    raise KeyError(name)


def script_text(app: App) -> str:
    (script,) = (e for e in app if e.kind is Kind.SCRIPT)
    return read_source(app.sections[HOME], script).text or ""


@FORMATS
def test_its_definition_and_its_uses_by_this_change_in_the_script(format_version: int) -> None:
    done, after = renamed(an_app(format_version), "store")

    assert script_text(after) == RENAMED
    assert [one.text for one in done.unclear] == ["save"]
    assert CODE[done.unclear[0].start :].startswith("save; });")


@FORMATS
def test_its_metadata_and_its_files_follow(format_version: int) -> None:
    before = an_app(format_version)

    done, after = renamed(before, "store")

    assert done.entity_id == "script_function:pages/Home/queries/Tools-store"
    entity = after.sections[HOME].by_id[done.entity_id]
    assert (entity.name, entity.parent_id) == ("store", "script:pages/Home/jsobjects/Tools")
    value = json_at(after, entity.path)
    action = value["unpublishedAction"]
    assert value["id"] == "Home_Tools.store"
    assert (action["name"], action["fullyQualifiedName"]) == ("store", "Tools.store")
    assert (action["collectionId"], action["pageId"]) == ("Home_Tools", "Home")
    assert action["jsonPathKeys"] == ["async () => { await this.store(); Tools.store() }"]
    same = len(before.files)
    assert len(after.files) == same


@FORMATS
def test_what_runs_on_load_follows_and_a_query_of_that_name_stays(format_version: int) -> None:
    _, after = renamed(an_app(format_version), "store")

    file = "Home.json" if format_version == 5 else "canvas.json"
    page = json_at(after, f"pages/Home/{file}")["unpublishedPage"]
    function, query = page["layouts"][0]["layoutOnLoadActions"][0]
    assert (function["id"], function["name"]) == ("Home_Tools.store", "Tools.store")
    assert function["jsonPathKeys"] == ["async (save) => this.store(save)"]
    assert query == {"id": "Home_save", "name": "save", "jsonPathKeys": ["this.save"]}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("{{ Tools.save() }}", "{{ Tools.store() }}"),
        ("{{ Tools?.save.data + save }} save", "{{ Tools?.store.data + save }} save"),
        (
            """{{ Tools["save"]() + Tools[`save`] }}""",
            """{{ Tools["store"]() + Tools[`store`] }}""",
        ),
        ("{{ (Tools).save }}", "{{ (Tools).store }}"),
        ("{{ Tools.load.save + a.Tools.save }}", "{{ Tools.load.save + a.Tools.save }}"),
        ("{{ (Tools => Tools.save())(1) }}", "{{ (Tools => Tools.save())(1) }}"),
        ("{{ 'Tools.save' /* Tools.save */ }}", "{{ 'Tools.save' /* Tools.save */ }}"),
        ("{{ this.save }}", "{{ this.save }}"),
        ("{{ {save: Tools.save, Tools: 1} }}", "{{ {save: Tools.store, Tools: 1} }}"),
        (
            "{{ (() => { const {save, load} = Tools; return save })() }}",
            "{{ (() => { const {store: save, load} = Tools; return save })() }}",
        ),
        (
            "{{ (() => { const {save: s = 1, 'save': t} = Tools; return s })() }}",
            "{{ (() => { const {store: s = 1, 'store': t} = Tools; return s })() }}",
        ),
        (
            "{{ (() => { let save; ({save = 1} = Tools); return save })() }}",
            "{{ (() => { let save; ({store: save = 1} = Tools); return save })() }}",
        ),
        (
            "{{ (() => { const {store: save} = Other; return Tools.save })() }}",
            "{{ (() => { const {store: save} = Other; return Tools.store })() }}",
        ),
    ],
)
def test_only_its_true_uses_change_and_come_back(code: str, expected: str) -> None:
    before = an_app(5, Text1=code)

    done, after = renamed(before, "store")
    _, back = renamed(after, "save", done.entity_id)

    assert text_of(after, "Text1") == expected
    assert [one for one in done.unclear if "widget:" in one.entity_id] == []
    assert back.files == before.files


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import save from 'x';\nexport default {save}", "{store: save}"),
        ("export default { get save() {}, set save(x) {} }", "{ get store() {}, set store(x) {} }"),
        ("export default { 'save': 1, ['save']: 2 }", "{ 'store': 1, ['store']: 2 }"),
        ("export default { é: '😀', save: () => this.save }", "store: () => this.store }"),
        ("export default { a: " + "(() => " * 4000 + "this.save" + ")" * 4000 + "}", "this.store)"),
    ],
)
def test_it_is_defined_in_many_ways(code: str, expected: str) -> None:
    path = "pages/Home/jsobjects/Tools/Tools.js"
    before = an_app(5)
    before = before.with_sections([before.sections[HOME].with_files({path: code.encode()})])

    done, after = renamed(before, "store")
    _, back = renamed(after, "save", done.entity_id)

    assert expected in after.files[path].decode()
    assert back.files == before.files


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("(() => { const o = Tools; return o.save })()", "Tools"),
        ("Tools[name]()", "Tools[name]"),
        ("run(Tools)", "Tools"),
        ("{...Tools}", "Tools"),
        ("(() => { const {load, ...rest} = Tools; return rest })()", "...rest"),
        ("(() => { const {[key]: one} = Tools; return one })()", "key"),
        ("(({save} = Tools) => save)()", "Tools"),
        ("(() => { let s; return ({s} = Tools) })()", "Tools"),
        ("Tools.save(", "Tools.save("),
        ("'é' + Tools.é + eval('é') // Tools", "eval"),
    ],
)
def test_what_nobody_can_tell_is_listed_and_stays(code: str, told: str) -> None:
    app = an_app(4, Text1=f"{{{{{code}}}}}")

    done, after = renamed(app, "store")

    assert text_of(after, "Text1") == f"{{{{{code}}}}}"
    (place,) = (one for one in done.unclear if "widget:" in one.entity_id)
    assert (place.path, place.text) == ("text", told)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("load", EditRule.NAME_TAKEN),
        ("rows", EditRule.NAME_TAKEN),
        ("my name", EditRule.NAME_INVALID),
        ("1st", EditRule.NAME_INVALID),
        ("class", EditRule.NAME_INVALID),
        ("constructor", EditRule.NAME_INVALID),
        ("nobodys", EditRule.NAME_USED),
        ("mine", EditRule.NAME_USED),
    ],
)
def test_a_name_that_would_break_something_is_refused(name: str, rule: EditRule) -> None:
    app = an_app(5, Text1="{{ Tools.nobodys }}")
    path = "pages/Home/jsobjects/Tools/Tools.js"
    code = app.files[path].replace(b"this.rows", b"this.rows || this.mine")
    app = app.with_sections([app.sections[HOME].with_files({path: code})])

    with pytest.raises(EditRefused) as refused:
        renamed(app, name)

    assert (refused.value.field, refused.value.rule) == ("name", rule)


def test_a_name_that_means_something_elsewhere_may_be_given() -> None:
    app = an_app(5, Text1="{{ Tools.save(fetch) }}", store="x")

    _, after = renamed(app, "fetch")

    assert text_of(after, "Text1") == "{{ Tools.fetch(fetch) }}"


def test_a_script_that_cannot_be_read_is_left_alone() -> None:
    app = an_app(5)
    broken = {"pages/Home/jsobjects/Tools/Tools.js": b"export default { save( }"}
    app = app.with_sections([app.sections[HOME].with_files(broken)])

    with pytest.raises(EditRefused) as refused:
        renamed(app, "store")

    assert refused.value.rule is EditRule.NOT_RENAMABLE


def test_a_function_without_its_script_is_left_alone() -> None:
    app = an_app(5)
    gone = [f"pages/Home/jsobjects/Tools/{name}" for name in ("metadata.json", "Tools.js")]
    app = app.with_sections([app.sections[HOME].with_files({}, gone)])

    with pytest.raises(EditRefused) as refused:
        renamed(app, "store")

    assert refused.value.rule is EditRule.NOT_RENAMABLE


def test_of_two_scripts_of_one_name_code_means_the_first() -> None:
    app = an_app(5, Text1="{{ Tools.save() }}")
    start = "pages/Home/jsobjects/Zwei"
    second = {
        f"{start}/metadata.json": json.dumps({"unpublishedCollection": {"name": "Tools"}}).encode(),
        f"{start}/Zwei.js": b"export default { save() { this.save() } }",
    }
    app = app.with_sections([app.sections[HOME].with_files(second)])

    _, after = renamed(app, "store")

    assert text_of(after, "Text1") == "{{ Tools.store() }}"
    assert after.files[f"{start}/Zwei.js"] == second[f"{start}/Zwei.js"]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.from_regex(r"[A-Za-zäß変_$][A-Za-z0-9äß変_$]{0,12}", fullmatch=True),
    function=st.sampled_from(["load", "save", "keep"]),
    format_version=st.sampled_from([2, 3, 4, 5]),
)
def test_there_and_back_is_the_same_to_the_byte(
    name: str, function: str, format_version: int
) -> None:
    code = "{{ (() => { const {save, keep: k} = Tools; return Tools.load(save, k) })() }}"
    before = an_app(format_version, Text1=code)
    try:
        done, after = renamed(before, name, f"script_function:pages/Home/queries/Tools-{function}")
    except EditRefused:
        return

    back, again = renamed(after, function, done.entity_id)

    assert again.files == before.files
    assert name == function or after.files != before.files
    assert dict(back.moved) == {new: old for old, new in done.moved.items()}
