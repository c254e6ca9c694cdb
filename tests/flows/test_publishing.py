"""A publish that is refused, with the list; mended; and what an import brought is published."""

from typing import Any

from tests.flows.test_renames import ADD
from tests.flows.traveller import Traveller
from tools.journey.documents import CHANGE_ENTITY

WIDGET = {"kind": "WIDGET", "page": "Home", "name": "Label9"}
ENDED = """query($id: ID!) { operation(id: $id) { state release { id }
    warningsCount warnings { rule severity name page missing }
    error { code ... on AppNotPublishable { reason problemsCount problems {
        rule entityId name page missing meant place { path start end }
        cycle { entityId path } } } } } }"""
RELEASES = """query($id: ID!) { app(id: $id) { releases { nodes { id } } } }"""

SOURCE = """query($id: ID!) { node(id: $id) { ... on Widget { source } } }"""
WORSE = {"type": "TEXT_WIDGET", "text": "{{ Nothing9.data }}"}


async def published(traveller: Traveller, app_id: str) -> dict[str, Any]:  # what the gateway says
    operation = await traveller.publish(app_id)
    await traveller.ended(operation)
    return dict((await traveller.client.ask(ENDED, id=operation))["operation"])


async def source_of(traveller: Traveller, entity_id: str) -> dict[str, Any]:  # a widget's JSON
    return dict((await traveller.client.ask(SOURCE, id=entity_id))["node"]["source"])


async def a_label(traveller: Traveller, app_id: str, text: str, **source: str) -> str:
    """A widget's id. Its version is 1."""
    source = {"type": "TEXT_WIDGET", "text": text, **source}
    added = await traveller.client.done(ADD, "EntityAdded", appId=app_id, **WIDGET, source=source)
    return str(added["entityId"])


async def test_a_publish_is_refused_with_the_list_and_nothing_of_it_stays(
    traveller: Traveller,
) -> None:
    app_id = await traveller.new_app()
    label = await a_label(traveller, app_id, "{{ Totl.text }}", color="{{ Label9.color }}")
    before = await traveller.story.usage()

    refused = await published(traveller, app_id)
    after = await traveller.story.usage()
    releases = (await traveller.client.ask(RELEASES, id=app_id))["app"]["releases"]["nodes"]
    mended = {**await source_of(traveller, label), "text": "1", "color": "red"}
    change = {"entityId": label, "expectedVersion": 1, "source": mended}
    await traveller.client.done(CHANGE_ENTITY, "EntityChanged", **change)
    accepted = await published(traveller, app_id)

    assert refused["state"] == "COMPENSATED"
    assert refused["error"]["code"] == "APP_NOT_PUBLISHABLE"
    assert refused["error"]["problemsCount"] == 2
    missing, cycle = refused["error"]["problems"]
    assert (missing["rule"], missing["missing"], missing["entityId"]) == ("MISSING", "Totl", label)
    assert missing["place"] == {"path": "text", "start": 3, "end": 7}
    assert (cycle["rule"], cycle["cycle"]) == ("CYCLE", [{"entityId": label, "path": "color"}])
    assert (releases, refused["release"]) == ([], None)
    reserved = [one["unitsReserved"] for one in (before, after)]
    assert reserved[0] == reserved[1]
    assert accepted["state"] == "COMPLETED"
    assert (accepted["warningsCount"], accepted["error"]) == (0, None)


async def test_what_an_import_brought_is_published_with_warnings_and_no_more(
    traveller: Traveller,
) -> None:
    app_id = traveller.story.app_id

    brought = await published(traveller, app_id)
    await a_label(traveller, app_id, "{{ ListOrders.data }}")
    same = await published(traveller, app_id)
    await traveller.client.done(
        ADD, "EntityAdded", appId=app_id, **{**WIDGET, "name": "Worse9"}, source=WORSE
    )
    refused = await published(traveller, app_id)

    assert brought["state"] == same["state"] == "COMPLETED"
    told = [(one["rule"], one["page"], one["missing"]) for one in brought["warnings"]]
    assert ("MISSING", "Home", "ListOrders") in told
    assert same["warningsCount"] == brought["warningsCount"] + 1
    assert refused["state"] == "COMPENSATED"
    problems = refused["error"]["problems"]
    assert [(one["name"], one["missing"]) for one in problems] == [("Worse9", "Nothing9")]
