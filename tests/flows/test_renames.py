"""A rename through the gateway: asked about, run dry, made, and taken back."""

from typing import Any

from tests.flows.test_revisions import edited, head
from tests.flows.traveller import Traveller

USERS = """query($id: ID!, $of: ID!) { app(id: $id) {
    dependencies(of: $of) { entityId name places { path start end members } }
    whatBreaks(without: $of) { name } }
    validateApp(id: $id) { findings { rule missing } } }"""
ADD = """mutation($input: AddEntityInput!) { addEntity(input: $input) {
    __typename ... on EntityAdded { entityId } ... on Failure { code message } } }"""
RENAME = """mutation($input: RenameEntityInput!) { renameEntity(input: $input) {
    __typename ... on RenameOutcome { entityId entityVersion revisionId
        changes { entityId path before after } mentions { path before } }
    ... on Failure { code message } ... on SourceInvalid { rule } } }"""
SAME = """query($id: ID!, $old: ID!, $new: ID!) { app(id: $id) {
    difference(before: $old, after: $new) { differences { name } } } }"""


async def the_widget(traveller: Traveller) -> dict[str, Any]:  # what the gateway says
    nodes = (await head(traveller))["widgets"]["nodes"]
    (found,) = (
        one
        for one in nodes
        if one["pageName"] == "Home" and one["source"].get("marked") == "the one"
    )
    return dict(found)


async def test_a_widget_is_renamed_with_its_users_and_back(traveller: Traveller) -> None:
    client, app = traveller.client, traveller.story.app_id
    user = {"kind": "WIDGET", "page": "Home", "name": "Counter9"}
    source = {"type": "TEXT_WIDGET", "text": "{{ Text1.text.length + 'Text1' }}"}
    await client.done(ADD, "EntityAdded", appId=app, **user, source=source)
    start = await edited(traveller, marked="the one", onClick="{{ resetWidget('Text1') }}")
    widget = await the_widget(traveller)
    wanted = {"entityId": widget["id"], "expectedVersion": widget["version"], "name": "Headline9"}

    asked = (await client.ask(USERS, id=app, of=widget["id"]))["app"]
    dry = await client.done(RENAME, "RenameOutcome", **wanted, dryRun=True)
    untouched = await the_widget(traveller)
    made = await client.done(RENAME, "RenameOutcome", **wanted, withMentions=True)
    renamed = await the_widget(traveller)
    back = await client.done(
        RENAME,
        "RenameOutcome",
        entityId=made["entityId"],
        expectedVersion=made["entityVersion"],
        name="Text1",
        withMentions=True,
    )

    (found,) = asked["dependencies"]
    place = {"path": "text", "start": 3, "end": 8, "members": "text.length"}
    assert (found["name"], found["places"]) == ("Counter9", [place])
    assert asked["whatBreaks"] == [{"name": "Counter9"}]
    assert dry["revisionId"] is None
    assert dry["mentions"] == [{"path": "onClick", "before": "Text1"}]
    assert untouched["name"] == "Text1"
    assert renamed["name"] == "Headline9"
    changed = next(one for one in made["changes"] if one["entityId"] == found["entityId"])
    assert changed == {**changed, "path": "text", "before": "Text1", "after": "Headline9"}
    assert renamed["source"]["onClick"] == "{{ resetWidget('Headline9') }}"
    same = await client.ask(SAME, id=app, old=start, new=back["revisionId"])
    assert same["app"]["difference"]["differences"] == []


async def test_a_name_that_code_cannot_say_is_refused_by_its_rule(traveller: Traveller) -> None:
    await edited(traveller, marked="the one")
    widget = await the_widget(traveller)

    refused = await traveller.client.done(
        RENAME,
        "SourceInvalid",
        entityId=widget["id"],
        expectedVersion=widget["version"],
        name="my title",
    )

    assert refused["rule"].startswith("NAME_INVALID")
