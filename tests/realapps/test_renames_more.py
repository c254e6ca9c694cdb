"""The audit of renames of functions and pages, and of texts that are names: a right one passes, and
each kind of wrong one is seen."""

import pytest

from services.studio.appsmith import App, Entity, parse
from services.studio.store.renaming import after_rename, rename_in
from tests.realapps.findings import Findings
from tests.realapps.referee import Missing, Referee
from tests.realapps.renames import Auditor
from tests.realapps.renaming import Renaming
from tests.services.studio.references.renames.pages import an_app

GO = "{{ navigateTo('Home'); showModal(`Go`); (({save}) => save)(Tools); Tools.save(Go) }}"
SAVE = "script_function:pages/Home/queries/Tools-save"
NEW = "Renamed"
TEXT = "pages/Home/jsobjects/Tools/Tools.js"
WIDGET = "pages/Home/widgets/Go.json"
FUNCTION = "pages/Home/queries/Tools-Renamed/metadata.json"


@pytest.fixture(scope="module")
def referee() -> Referee:
    try:
        return Referee()
    except Missing as missing:
        pytest.skip(str(missing))


def entity_of(app: App, entity_id: str) -> Entity:
    found = app.find(entity_id)
    assert found is not None, "it is one of the sample"
    return found


def files_after(app: App, entity_id: str, *, mentions: bool = False) -> dict[str, bytes]:
    done = rename_in(app, entity_id, NEW, with_mentions=mentions)
    return dict(after_rename(app, entity_id, done).app.files)


@pytest.mark.parametrize("format_version", [2, 3, 4, 5])
def test_the_products_renames_pass_and_come_back(referee: Referee, format_version: int) -> None:
    findings = Findings("made up")

    Renaming(an_app(format_version, Go=GO), referee, lambda done, count: None).check(findings)

    assert findings.unexplained == []
    assert findings.figures["functions renamed"] == 3
    assert findings.figures["pages renamed"] == 2
    assert findings.figures["texts that are names"] == 2
    assert findings.figures["with texts"] == 2
    assert findings.figures["functions renamed, unclear places"] == 4


@pytest.mark.parametrize(
    ("path", "old", "new", "told"),
    [
        (TEXT, b"this.Renamed(this.rows", b"this.save(this.rows", "not the text it must become"),
        (TEXT, b"{Renamed: save}", b"{Renamed}", "not the text it must become"),
        (
            TEXT,
            b"function () { return this.save; }",
            b"function () { return this.Renamed; }",
            "not",
        ),
        (TEXT, b"async Renamed(save)", b"async save(save)", "not the text it must become"),
        (WIDGET, b"Tools.Renamed(", b"Tools.save(", "missed"),
        (WIDGET, b"({save})", b"({Renamed})", "wrong"),
        (FUNCTION, b"Home_Tools.Renamed", b"Home_Tools.save", "missed"),
        (FUNCTION, b'"name": "Renamed"', b'"name": "save"', "missed"),
        (FUNCTION, b"await this.Renamed()", b"await this.save()", "wrong"),
        ("pages/Home/Home.json", b'"Tools.Renamed"', b'"Tools.save"', "missed"),
        ("pages/Home/Home.json", b"=> this.Renamed", b"=> this.save", "missed"),
        ("pages/Home/Home.json", b'"name": "save"', b'"name": "Renamed"', "wrong"),
        ("pages/Home/Home.json", b'[\n        "this.save"', b'[\n        "this.Renamed"', "wrong"),
    ],
)
def test_a_wrong_rename_of_a_function_is_told(
    referee: Referee, path: str, old: bytes, new: bytes, told: str
) -> None:
    app = an_app(5, Go=GO)
    auditor = Auditor(app, referee)
    files = files_after(app, SAVE)
    assert auditor.audit(files, entity_of(app, SAVE), NEW) == []
    assert files[path].count(old) >= 1, files[path]

    lines = auditor.audit({**files, path: files[path].replace(old, new)}, entity_of(app, SAVE), NEW)

    assert lines
    assert all(f": {told}" in line for line in lines)


@pytest.mark.parametrize(
    ("path", "old", "new", "told"),
    [
        ("application.json", b'"Renamed"', b'"Home"', "missed"),
        ("application.json", b'"Other"', b'"Renamed"', "wrong"),
        ("pages/Renamed/Renamed.json", b'"slug": "renamed"', b'"slug": "home"', "missed"),
        ("pages/Renamed/Renamed.json", b'"id": "Renamed"', b'"id": "Home"', "missed"),
        ("pages/Renamed/Renamed.json", b'"Renamed_save"', b'"Home_save"', "missed"),
        ("pages/Renamed/jsobjects/Tools/metadata.json", b"Renamed_", b"Home_", "missed"),
        ("pages/Renamed/queries/Tools-save/metadata.json", b': "Renamed"', b': "Home"', "missed"),
        (
            "pages/Renamed/widgets/Go.json",
            b"navigateTo('Home')",
            b"navigateTo('Renamed')",
            "changed",
        ),
        ("pages/Other/Other.json", b"Home_Tools.save", b"Renamed_Tools.save", "changed"),
    ],
)
def test_a_wrong_rename_of_a_page_is_told(
    referee: Referee, path: str, old: bytes, new: bytes, told: str
) -> None:
    app = an_app(5, Go=GO)
    auditor, page = Auditor(app, referee), entity_of(app, "page:pages/Home")
    files = files_after(app, page.entity_id)
    assert auditor.audit(files, page, NEW) == []
    assert old in files[path], files[path]

    (line,) = auditor.audit({**files, path: files[path].replace(old, new)}, page, NEW)

    assert f": {told}" in line


@pytest.mark.parametrize("entity_id", ["page:pages/Home", "widget:pages/Home/widgets/Go.json"])
def test_texts_that_are_the_name_must_change_when_asked_and_only_then(
    referee: Referee, entity_id: str
) -> None:
    app = an_app(5, Go=GO)
    auditor, entity = Auditor(app, referee), entity_of(app, entity_id)
    left, changed = files_after(app, entity_id), files_after(app, entity_id, mentions=True)

    assert auditor.mentioned(entity) == 1
    assert auditor.audit(left, entity, NEW) == []
    assert auditor.audit(changed, entity, NEW, mentions=True) == []
    assert len(auditor.audit(left, entity, NEW, mentions=True)) == 1
    assert len(auditor.audit(changed, entity, NEW)) == 1


def test_templates_in_lists_of_properties_are_looked_at(referee: Referee) -> None:
    lists = b'"template": {"Go": {}}, "dynamicPropertyPathList": [{"key": "template.Go.x"}], '
    app = an_app(5, Go="x", List1="y")
    path = "pages/Home/widgets/List1.json"
    content = app.files[path].replace(b'"widgetId"', lists + b'"widgetId"')
    app = parse({**app.files, path: content})
    auditor, entity = Auditor(app, referee), entity_of(app, "widget:pages/Home/widgets/Go.json")
    files = files_after(app, entity.entity_id)

    assert auditor.audit(files, entity, NEW) == []
    wrong = {**files, path: files[path].replace(b"template.Renamed.x", b"template.Go.x")}
    (line,) = auditor.audit(wrong, entity, NEW)
    assert "missed" in line


@pytest.mark.parametrize("entity_id", [SAVE, "script:pages/Home/jsobjects/Tools"])
def test_what_lies_in_a_folder_goes_with_it(referee: Referee, entity_id: str) -> None:
    stray = "pages/Home/queries/Tools-save/Tools-save.md"
    app = parse({**an_app(5).files, stray: b"Tools-save"})
    auditor, entity = Auditor(app, referee), entity_of(app, entity_id)
    files = files_after(app, entity_id)

    assert auditor.audit(files, entity, NEW) == []
    assert stray not in files
