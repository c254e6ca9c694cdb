"""Entities copied, moved and deleted through the gateway, each asked about first."""

from typing import Any

from tests.flows.test_renames import ADD, SAME, the_widget
from tests.flows.test_revisions import edited, head
from tests.flows.traveller import Traveller

BREAKS = "breaks { kind entityId name path start end }"
MOVE = f"""mutation($input: MoveEntityInput!) {{ moveEntity(input: $input) {{
    __typename ... on MoveOutcome {{ entityId entityVersion revisionId more {BREAKS} }}
    ... on EntityInUse {{ more {BREAKS} }} ... on Failure {{ code message }} }} }}"""
DUPLICATE = """mutation($input: DuplicateEntityInput!) { duplicateEntity(input: $input) {
    __typename ... on EntityDuplicated { entityId originalEntityId name entityVersion entityIds
        revisionId } ... on Failure { code message } } }"""
DELETE = f"""mutation($input: DeleteEntityInput!) {{ deleteEntity(input: $input) {{
    __typename ... on DeleteOutcome {{ entityIds revisionId more {BREAKS} }}
    ... on EntityInUse {{ more {BREAKS} }} ... on Failure {{ code message }} }} }}"""


def versioned(widget: dict[str, Any]) -> dict[str, Any]:
    """What an edit of a widget says of it."""
    return {"entityId": widget["id"], "expectedVersion": widget["version"]}


async def test_a_copy_made_and_deleted_leaves_no_trace(traveller: Traveller) -> None:
    client, app = traveller.client, traveller.story.app_id
    start = await edited(traveller, marked="the one", text="{{ Text1.isVisible }}")
    widget = await the_widget(traveller)

    copied = await client.done(DUPLICATE, "EntityDuplicated", **versioned(widget))
    nodes = (await head(traveller))["widgets"]["nodes"]
    copy = next(one for one in nodes if one["id"] == copied["entityId"])
    gone = await client.done(DELETE, "DeleteOutcome", **versioned(copy))

    assert (copied["originalEntityId"], copied["name"]) == (widget["id"], "Text1Copy")
    assert copied["entityIds"] == [copied["entityId"]]
    assert copy["source"]["text"] == "{{ Text1Copy.isVisible }}"
    assert (gone["entityIds"], gone["breaks"]) == ([copy["id"]], [])
    same = await client.ask(SAME, id=app, old=start, new=gone["revisionId"])
    assert same["app"]["difference"]["differences"] == []


async def test_what_breaks_is_told_and_asked_for(traveller: Traveller) -> None:
    client, app = traveller.client, traveller.story.app_id
    user = {"kind": "WIDGET", "page": "Home", "name": "Counter8"}
    source = {"type": "TEXT_WIDGET", "text": "{{ Text1.text.length }}"}
    counter = await client.done(ADD, "EntityAdded", appId=app, **user, source=source)
    other = {"kind": "PAGE", "name": "Attic", "source": {}}
    await client.done(ADD, "EntityAdded", appId=app, **other)
    start = await edited(traveller, marked="the one")
    wanted = versioned(await the_widget(traveller))

    dry = await client.done(MOVE, "MoveOutcome", **wanted, page="Attic", dryRun=True)
    kept = await client.done(DELETE, "EntityInUse", **wanted)
    there = await client.done(MOVE, "MoveOutcome", **wanted, page="Attic", breaking=True)
    home = {"entityId": there["entityId"], "expectedVersion": there["entityVersion"]}
    back = await client.done(MOVE, "MoveOutcome", **home, page="Home", breaking=True)

    place = {"kind": "DANGLING", "name": "Text1", "path": "text", "start": 3, "end": 8}
    assert dry["breaks"] == [{**place, "entityId": counter["entityId"]}]
    assert dry["revisionId"] is None
    assert (kept["breaks"], kept["more"]) == (dry["breaks"], False)
    assert there["breaks"] == dry["breaks"]
    assert [one["kind"] for one in back["breaks"]] == ["REBOUND"]
    same = await client.ask(SAME, id=app, old=start, new=back["revisionId"])
    assert same["app"]["difference"]["differences"] == []
