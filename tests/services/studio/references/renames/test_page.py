"""Renames of a page: its folder, its ids, and texts elsewhere that name it; and back."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.studio.appsmith import App, EditRefused, EditRule, Kind, parse
from services.studio.references.renames.page import rename_page
from services.studio.references.renames.plan import Renamed
from services.studio.store.renaming import after_rename
from tests.samples.shop import shop
from tests.services.studio.references.renames.pages import an_app, json_at

FORMATS = pytest.mark.parametrize("format_version", [2, 3, 4, 5])
HOME = "page:pages/Home"
GO = "{{ navigateTo('Home', {}, 'SAME_WINDOW'); showAlert('Home') }} Home"
SHADOWED = "{{ (navigateTo => navigateTo('Home'))(f) }}"
MODAL = "{{ showModal('Home') }}"


def renamed(
    app: App, name: str, page: str = HOME, *, with_mentions: bool = False
) -> tuple[Renamed, App]:
    entity = app.find(page)
    assert entity is not None, "it is there"
    done = rename_page(app, entity, name, with_mentions=with_mentions)
    return done, after_rename(app, page, done).app


@FORMATS
def test_its_files_move_and_its_ids_follow(format_version: int) -> None:
    before = an_app(format_version, Text1="Home")

    done, after = renamed(before, "Start")

    assert {p.replace("pages/Start/Start.", "pages/Start/Home.") for p in after.files} == {
        p.replace("pages/Home/", "pages/Start/") for p in before.files
    }
    assert done.entity_id == "page:pages/Start"
    assert json_at(after, "application.json")["pages"][0] == {"id": "Start", "isDefault": True}
    script = next(e for e in after if e.kind is Kind.SCRIPT)
    value = json_at(after, script.path)
    assert (value["id"], value["unpublishedCollection"]["pageId"]) == ("Start_Tools", "Start")
    function = after.find("script_function:pages/Start/queries/Tools-save")
    assert function is not None
    value = json_at(after, function.path)
    action = value["unpublishedAction"]
    assert (value["id"], action["collectionId"]) == ("Start_Tools.save", "Start_Tools")
    assert (action["pageId"], action["fullyQualifiedName"]) == ("Start", "Tools.save")
    assert parse(after.tree()).files == after.files


@FORMATS
def test_its_own_file_says_the_new_name(format_version: int) -> None:
    done, after = renamed(an_app(format_version), "Start here!")

    entity = after.find(done.entity_id)
    assert entity is not None
    page = json_at(after, entity.path)["unpublishedPage"]
    assert (page["name"], page["slug"]) == ("Start here!", "start-here")
    (layout,) = page["layouts"]
    assert layout["id"] == "Start here!"
    first = layout["layoutOnLoadActions"][0][0]
    assert (first["id"], first["collectionId"]) == ("Start here!_Tools.save", "Start here!_Tools")
    assert (first["name"], layout["dsl"]["widgetName"]) == ("Tools.save", "MainContainer")


def test_a_slug_of_its_own_stays() -> None:
    app = parse(shop(5))

    _, after = renamed(app, "Start")

    page = json_at(after, "pages/Start/Start.json")["unpublishedPage"]
    assert (page["name"], page["slug"]) == ("Start", "page-1")


def test_a_published_twin_follows() -> None:
    app = an_app(4)
    path = "pages/Home/canvas.json"
    text = app.files[path].decode().replace("{", '{"publishedPage": {"name": "Home"},', 1)
    app = app.with_sections([app.sections["page:Home"].with_files({path: text.encode()})])

    _, after = renamed(app, "Start")

    assert json_at(after, "pages/Start/canvas.json")["publishedPage"]["name"] == "Start"


@FORMATS
def test_texts_that_name_it_are_told_and_changed_when_asked(format_version: int) -> None:
    app = an_app(format_version, Go=GO, Shadowed=SHADOWED, Modal=MODAL)

    left, after = renamed(app, "Start")
    changed, everywhere = renamed(app, "Start", with_mentions=True)

    (mention,) = left.mentions
    assert (mention.path, mention.before, mention.after) == ("text", "Home", "Start")
    assert GO[mention.start :].startswith("Home', {}")
    assert changed.mentions == ()
    one, other = (b"".join(found.files.values()) for found in (after, everywhere))
    assert one.count(b"navigateTo('Home'") == 2
    assert other.count(b"navigateTo('Home'") == 1
    assert other.count(b"navigateTo('Start', {}, 'SAME_WINDOW'); showAlert('Home') }} Home") == 1


def test_any_page_may_name_it_and_only_those_that_do_change() -> None:
    app = an_app(5, Go=GO)

    done, after = renamed(app, "Elsewhere", "page:pages/Other", with_mentions=True)
    assert [one.name for one in done.others] == ["app"]

    go = app.files["pages/Home/widgets/Go.json"].replace(b"Home", b"Other")
    home = app.sections["page:Home"].with_files({"pages/Home/widgets/Go.json": go})
    done, after = renamed(
        app.with_sections([home]), "Elsewhere", "page:pages/Other", with_mentions=True
    )

    assert [one.name for one in done.others] == ["app", "page:Home"]
    assert b"navigateTo('Elsewhere'" in after.files["pages/Home/widgets/Go.json"]
    assert {one.entity_id for one in done.changes if "navigateTo" in one.before} == set()


def test_a_folder_that_is_not_the_name_stays_where_it_is() -> None:
    files = {
        path.replace("pages/Home/Home.json", "pages/x/x.json").replace("/Home/", "/x/"): content
        for path, content in an_app(5).files.items()
    }

    done, after = renamed(parse(files), "Start", "page:pages/x")

    assert done.entity_id == "page:pages/x"
    assert after.files.keys() == files.keys()
    assert json_at(after, "pages/x/x.json")["unpublishedPage"]["name"] == "Start"
    assert json_at(after, "application.json")["pages"][0]["id"] == "Start"


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("Other", EditRule.NAME_TAKEN),
        ("  ", EditRule.NAME_INVALID),
        ("a\0b", EditRule.NAME_INVALID),
        ("x" * 201, EditRule.NAME_INVALID),
    ],
)
def test_a_name_that_cannot_be_given_is_refused(name: str, rule: EditRule) -> None:
    with pytest.raises(EditRefused) as refused:
        renamed(an_app(5), name)

    assert (refused.value.field, refused.value.rule) == ("name", rule)


def test_texts_that_name_another_page_already_are_not_mixed_with_its_own() -> None:
    app = an_app(5, Go=GO, Else="{{ navigateTo('Start') }}")

    with pytest.raises(EditRefused) as refused:
        renamed(app, "Start", with_mentions=True)

    assert refused.value.rule is EditRule.NAME_USED
    renamed(app, "Start")


@pytest.mark.parametrize("name", ["it's", 'a"b', "`", "\\n", "{", "}}", "a\nb"])
def test_what_code_cannot_say_as_it_is_goes_into_no_text(name: str) -> None:
    app = an_app(5, Go=GO)

    with pytest.raises(EditRefused) as refused:
        renamed(app, name, with_mentions=True)

    assert refused.value.rule is EditRule.NAME_INVALID
    renamed(app, name)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.text(min_size=1, max_size=30),
    place=st.integers(0, 6),
    format_version=st.sampled_from([2, 3, 4, 5]),
    with_mentions=st.booleans(),
)
def test_there_and_back_is_the_same_to_the_byte(
    name: str, place: int, format_version: int, with_mentions: bool
) -> None:
    before = an_app(format_version, Go=GO)
    others = {n: s for n, s in parse(shop(format_version, 1)).sections.items() if n != "page:Home"}
    before = App(format_version, {**others, **before.sections})
    pages = sorted(e.entity_id for e in before if e.kind is Kind.PAGE)
    page = before.find(pages[place % len(pages)])
    assert page is not None
    try:
        done, after = renamed(before, name, page.entity_id, with_mentions=with_mentions)
    except EditRefused:
        return

    back, again = renamed(after, page.name, done.entity_id, with_mentions=with_mentions)

    assert again.files == before.files
    assert back.entity_id == page.entity_id
    assert name == page.name or after.files != before.files
    assert len(after.files) == len(before.files)
