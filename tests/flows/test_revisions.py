"""Two people's work on one app, compared, merged and taken back through the gateway."""

from typing import Any

from tests.flows.traveller import Traveller
from tools.journey.documents import CHANGE_ENTITY

HEAD = """query($id: ID!) { app(id: $id) { headRevisionId
    widgets(first: 100) { nodes { id version name pageName source } } } }"""
DIFFERENCE = """query($id: ID!, $old: ID!, $new: ID!) { app(id: $id) {
    difference(before: $old, after: $new) { differences { name change properties {
        path before after } } } } }"""
RESTORE = """mutation($input: RestoreRevisionInput!) { restoreRevision(input: $input) {
    __typename ... on RevisionRestored { revisionId } ... on Failure { code message } } }"""
MERGE = """mutation($input: MergeRevisionsInput!) { mergeRevisions(input: $input) {
    __typename ... on MergeOutcome { revisionId conflicts { conflictId name path ours theirs } }
    ... on Failure { code message } } }"""


async def head(traveller: Traveller) -> dict[str, Any]:  # what the gateway says
    found = await traveller.client.ask(HEAD, id=traveller.story.app_id)
    return dict(found["app"])


async def edited(traveller: Traveller, **properties: object) -> str:
    """The head after an edit of the widget Text1."""
    nodes = (await head(traveller))["widgets"]["nodes"]
    widget = next(one for one in nodes if (one["name"], one["pageName"]) == ("Text1", "Home"))
    source = {**widget["source"], **properties}
    edit = {"entityId": widget["id"], "expectedVersion": widget["version"], "source": source}
    changed = await traveller.client.done(CHANGE_ENTITY, "EntityChanged", **edit)
    return str(changed["revisionId"])


async def text1(traveller: Traveller) -> dict[str, Any]:  # a widget's JSON
    nodes = (await head(traveller))["widgets"]["nodes"]
    found = next(one for one in nodes if (one["name"], one["pageName"]) == ("Text1", "Home"))
    return dict(found["source"])


async def test_two_edits_of_one_widget_meet(traveller: Traveller) -> None:
    client, app = traveller.client, traveller.story.app_id
    base = (await head(traveller))["headRevisionId"]
    theirs = await edited(traveller, color="theirs", text="theirs")
    back = await client.done(RESTORE, "RevisionRestored", revisionId=base)
    ours = await edited(traveller, rows=1.0, text="ours")
    sides = {"revisionBase": base, "revisionTheirs": theirs, "expectedHeadRevisionId": ours}

    found = await client.ask(DIFFERENCE, id=app, old=base, new=theirs)
    dry = await client.done(MERGE, "MergeOutcome", **sides, dryRun=True)
    (conflict,) = dry["conflicts"]
    choices = [{"conflictId": conflict["conflictId"], "side": "THEIRS"}]
    merged = await client.done(MERGE, "MergeOutcome", **sides, choices=choices)

    (difference,) = found["app"]["difference"]["differences"]
    assert difference["name"] == "Text1"
    assert {one["path"]: one["after"] for one in difference["properties"]} == {
        "color": '"theirs"',
        "text": '"theirs"',
    }
    shown = {key: conflict[key] for key in ("name", "path", "ours", "theirs")}
    assert shown == {"name": "Text1", "path": "text", "ours": '"ours"', "theirs": '"theirs"'}
    assert dry["revisionId"] is None
    assert back["revisionId"] not in (base, theirs, ours, merged["revisionId"])
    assert (await head(traveller))["headRevisionId"] == merged["revisionId"]
    widget = await text1(traveller)
    assert (widget["color"], widget["rows"], widget["text"]) == ("theirs", 1.0, "theirs")
