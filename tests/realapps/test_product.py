"""The check of renames through the product: a right product passes, and each wrong one is seen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pytest

from services.studio.appsmith import App, EditRefused, ImportRefused, Kind, parse
from services.studio.references.rename import Changed
from services.studio.store.renaming import after_rename, rename_in
from tests.realapps.doors import Listed, Outcome, Place, Refused
from tests.realapps.findings import Findings
from tests.realapps.product import GROUP, WITH_TEXTS, ByProduct, rounds
from tests.realapps.referee import Missing, Referee
from tests.realapps.test_renames import FILES, OTHER, WIDGET, Json, written
from tools.archive import zip_of_files
from tools.journey.client import Failed

Files = dict[str, bytes]
NEW = "Renamed0"

CANVAS = "pages/Home/canvas.json"
OLDER: dict[str, Json | str] = {
    **{path: value for path, value in FILES.items() if "/widgets/" not in path},
    "metadata.json": {"fileFormatVersion": 4},
    CANVAS: {
        "unpublishedPage": {
            "name": "Home",
            "layouts": [
                {
                    "layoutOnLoadActions": [[{"id": "Home_Query1", "name": "Query1"}]],
                    "dsl": {
                        "widgetName": "MainContainer",
                        "widgetId": "0",
                        "children": [
                            {"widgetName": "Table1", "widgetId": "t", "data": "{{ Query1.data }}"},
                            {
                                "widgetName": "List1",
                                "widgetId": "l",
                                "template": {"Table1": {"text": "{{ Script1.load() }}"}},
                                "dynamicBindingPathList": [{"key": "template.Table1.text"}],
                                "text": "Table1 {{ Table1.row + 'Table1' }}",
                            },
                        ],
                    },
                }
            ],
        }
    },
    "pages/Other/canvas.json": {"unpublishedPage": {"name": "Other", "layouts": []}},
}
del OLDER["pages/Home/Home.json"], OLDER["pages/Other/Other.json"]


@dataclass
class Shelf:
    """Doors without a platform: the library's renames on trees in memory. `spoil` may change what
    is exported after a rename, `stain` what a rename back makes, `lie` what is said of any."""

    spoil: Callable[[Files], Files] = lambda files: files
    stain: Callable[[Files], Files] = lambda files: files
    lie: Callable[[Outcome], Outcome] = lambda outcome: outcome
    refuses: str = ""
    apps: dict[str, Files] = field(default_factory=dict)
    brought: int = 0

    async def bring(self, name: str, files: Mapping[str, bytes]) -> str:
        try:
            parse(files)
        except ImportRefused as refused:
            raise Failed(str(refused)) from None
        self.brought += 1
        self.apps[name] = dict(files)
        return name

    async def counts(self, app_id: str) -> dict[str, int]:
        return parse(self.apps[app_id]).counts

    async def entities(self, app_id: str) -> list[Listed]:
        return [
            Listed(f"{app_id}|{one.entity_id}", one.kind.value.upper(), one.name, one.path)
            for one in parse(self.apps[app_id])
        ]

    async def version(self, entity_id: str) -> int:
        return 1

    async def rename(
        self, entity_id: str, version: int, name: str, *, dry: bool, texts: bool
    ) -> Outcome:
        app_id, _, own_id = entity_id.partition("|")
        app = parse(self.apps[app_id])
        entity = app.find(own_id)
        assert entity is not None, "it was listed"
        if entity.name == self.refuses:
            raise Refused("NAME_TAKEN")
        try:
            done = rename_in(app, own_id, name, with_mentions=texts)
        except EditRefused as refused:
            raise Refused(str(refused)) from None
        if not dry:
            files = after_rename(app, own_id, done).app.files
            self.apps[app_id] = self.stain(files) if entity.name == NEW else files
        outcome = Outcome(
            f"{app_id}|{done.entity_id}",
            2,
            None if dry else "revision",
            tuple(_place(app_id, one) for one in done.changes),
            tuple(_place(app_id, one) for one in done.mentions),
            unclear=len(done.unclear),
            more=False,
        )
        return self.lie(outcome)

    async def export(self, app_id: str) -> bytes:
        files = self.apps[app_id]
        if any(NEW.encode() in body for body in files.values()):
            files = self.spoil(files)
        return zip_of_files([(path, body, False) for path, body in files.items()])

    async def forget(self, app_id: str) -> None:
        del self.apps[app_id]


def _place(app_id: str, one: Changed) -> Place:
    return Place(f"{app_id}|{one.entity_id}", one.path, one.start, one.before, one.after)


@pytest.fixture(scope="module")
def referee() -> Referee:
    try:
        return Referee()
    except Missing as missing:
        pytest.skip(str(missing))


async def checked(app: App, referee: Referee, shelf: Shelf, again_each: int = 2) -> Findings:
    findings = Findings("made up")
    told: list[int] = []
    check = ByProduct(
        "app", app, referee, shelf, lambda done, _: told.append(done), again_each=again_each
    )
    await check.check(findings)
    assert told[0] == 0
    return findings


def figure(findings: Findings, name: str) -> int:
    return findings.figures[f"{GROUP}: {name}"]


def changed(path: str, old: str, new: str) -> Callable[[Files], Files]:
    """Files with a text of one of them replaced, where it is there."""

    def change(files: Files) -> Files:
        found = files.get(path, b"")
        return {**files, path: found.replace(old.encode(), new.encode())} if found else files

    return change


def without(gone: str) -> Callable[[Files], Files]:
    """Files without one of them."""
    return lambda files: {path: body for path, body in files.items() if path != gone}


@pytest.mark.parametrize("files", [FILES, OLDER], ids=["files", "trees"])
async def test_a_right_product_passes(referee: Referee, files: dict[str, Json | str]) -> None:
    shelf = Shelf()

    findings = await checked(parse(written(files)), referee, shelf)

    assert findings.unexplained == []
    assert figure(findings, "renamed") >= 3
    assert figure(findings, "changes") > 10
    assert figure(findings, "imported again") == shelf.brought - 1 > 0
    assert list(shelf.apps) == ["app"]


async def test_texts_are_changed_when_asked_and_only_then(referee: Referee) -> None:
    widget = {"widgetName": "Table1", "widgetId": "o", "text": "{{ Table1.row }}"}
    calling = {**widget, "onClick": "{{ resetWidget('Table1') }}"}
    app = parse(written({**FILES, OTHER: calling}))

    findings = await checked(app, referee, Shelf())

    assert findings.unexplained == []
    assert figure(findings, "texts that are names") == 1
    assert findings.figures[f"{WITH_TEXTS}: renamed"] == 1


async def test_a_text_that_is_not_listed_is_noticed(referee: Referee) -> None:
    calling = {"widgetName": "Table1", "widgetId": "o", "text": "{{ Table1.a(hide('Table1')) }}"}
    app = parse(written({**FILES, OTHER: {**calling, "onClick": "{{ resetWidget('Table1') }}"}}))

    findings = await checked(app, referee, Shelf(lie=lambda said: replace(said, mentions=())))

    assert figure(findings, "dry run, different") == 1


def test_a_round_has_one_of_each_page_and_a_page_alone() -> None:
    entities = [one for one in parse(written(FILES)) if one.page]

    found = rounds(entities)

    assert sorted(e.entity_id for one in found for e in one) == sorted(
        e.entity_id for e in entities
    )
    assert all(len({e.page for e in one}) == len(one) for one in found)
    assert all(len(one) == 1 for one in found if any(e.kind is Kind.PAGE for e in one))
    assert len(found[0]) == 2


@pytest.mark.parametrize(
    ("shelf", "noticed"),
    [
        (Shelf(spoil=changed(OTHER, "Table1.row", "Table1.rows")), "wrong"),
        (Shelf(spoil=changed(OTHER, "Table1.row", "Table1.rows")), "dry run, different"),
        (Shelf(spoil=changed("application.json", '"Other"', '"Nowhere"')), "tree not valid"),
        (Shelf(spoil=without("application.json")), "imported again, different"),
        (Shelf(spoil=changed("application.json", "Other", "Home")), "wrong"),
        (Shelf(spoil=changed(WIDGET, "Renamed0.data", "Query1.data")), "wrong"),
        (Shelf(lie=lambda said: replace(said, changes=said.changes[1:])), "dry run, different"),
        (Shelf(lie=lambda said: replace(said, more=True)), "dry run, different"),
        (Shelf(lie=lambda said: replace(said, revision_id="one")), "dry run, different"),
        (Shelf(refuses="Query1"), "refused: UNEXPLAINED"),
        (Shelf(stain=changed(WIDGET, "😀", "😃")), "wrong"),
        (Shelf(stain=changed(WIDGET, "😀", "😃")), "back, different"),
    ],
)
async def test_a_wrong_product_is_noticed(referee: Referee, shelf: Shelf, noticed: str) -> None:
    findings = await checked(parse(written(FILES)), referee, shelf)

    assert figure(findings, noticed) > 0
    assert findings.unexplained


async def test_a_list_that_names_other_places_is_noticed(referee: Referee) -> None:
    def shifted(said: Outcome) -> Outcome:
        first, *rest = said.changes
        return replace(said, changes=(replace(first, path=f"x.{first.path}"), *rest))

    findings = await checked(parse(written(FILES)), referee, Shelf(lie=shifted))

    assert figure(findings, "wrong") == 0
    assert figure(findings, "dry run, different") == figure(findings, "renamed") > 0


async def test_an_export_that_is_not_the_source_is_noticed(referee: Referee) -> None:
    class Forgetful(Shelf):
        async def bring(self, name: str, files: Mapping[str, bytes]) -> str:
            return await super().bring(name, {**files, "application.json": b'{"pages": []}'})

    findings = await checked(parse(written(FILES)), referee, Forgetful())

    assert any("imported: 1 files differ" in line for line in findings.unexplained)


async def test_entities_that_are_not_listed_are_noticed(referee: Referee) -> None:
    class Hiding(Shelf):
        async def entities(self, app_id: str) -> list[Listed]:
            return [one for one in await super().entities(app_id) if one.name != "Query1"]

    findings = await checked(parse(written(FILES)), referee, Hiding())

    assert any("Query1 is listed 0 times" in line for line in findings.unexplained)
