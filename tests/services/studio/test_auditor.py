"""The auditor: damage to what is stored of an app's code is named, counted and put right; beside a
platform at work there is none."""

import asyncio
from random import Random
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from chassis.clock import new_id
from services.studio.auditor import Auditor, Outcome, Place
from services.studio.references.section_readings import decode, encode
from services.studio.store import graphs as kept
from tests.samples.shop import shop
from tests.services.studio.desk import Desk
from tests.services.studio.generated.edits import Editor
from tests.services.studio.generated.test_edits import assert_stored_as_computed
from tests.services.studio.test_imports import zipped

LABELS = {"name": "stored_graph"}
LOOKS_MAX = 200


async def an_app(desk: Desk) -> tuple[UUID, str]:
    imported = await desk.imported(zipped(shop(5, copies=0)), new_id())
    digest = await desk.database.fetchval(
        "SELECT state->>'head_digest' FROM app WHERE id = $1", imported.app_id
    )
    return imported.app_id, digest


async def name_of(desk: Desk, digest: str, section: str = "page:Home") -> str:
    manifest = await desk.contents.manifest(desk.workspace_id, digest)
    workspace_id, key = kept.keys_of(desk.workspace_id, manifest)[section]
    return f"{workspace_id}:{key}"


async def damage(desk: Desk, name: str, how: str) -> None:
    documents = desk.studio.resources.mongo
    document = await documents.get(kept.READINGS, name)
    assert document is not None
    if how == "one use less":
        read = decode([bytes(document["body"])])
        entity_id = next(i for i, one in read.readings.items() if one.uses)
        lines = {**read.lines, entity_id: '{"uses":[],"unclear":[]}'}
        (document["body"],) = encode(type(read)(read.entities, read.readings, lines))
    elif how in ("body", "parts"):
        del document[how]
    else:
        document["body"] = b"garbage"
    await documents.replace(kept.READINGS, document)


def forget() -> None:
    for cache in (kept.READING_CACHE, kept.GRAPH_CACHE):
        cache.clear()


async def swept(auditor: Auditor) -> list[Place]:
    """Once through all apps, from the beginning of a time to its end."""
    start = auditor.sweep
    while auditor.sweep is start:
        found = await auditor.look()
    return found


def counted(outcome: Outcome) -> float:
    name, labels = "basalt_studio_audited_sections_total", {"outcome": outcome.value}
    return REGISTRY.get_sample_value(name, labels) or 0


async def test_sound_apps_raise_no_alarm(desk: Desk) -> None:
    app_id, _ = await an_app(desk)
    before = counted(Outcome.SAME)

    assert await swept(Auditor(desk.studio.resources)) == []

    manifest_of = "SELECT state->>'head_digest' FROM app WHERE id = $1"
    digest = await desk.database.fetchval(manifest_of, app_id)
    sections = len((await desk.contents.manifest(desk.workspace_id, digest)).sections)
    assert counted(Outcome.SAME) - before >= sections
    assert REGISTRY.get_sample_value("basalt_invariant_violations", LABELS) == 0


@pytest.mark.parametrize("how", ["one use less", "body", "parts", "garbage"])
async def test_damage_is_named_counted_and_put_right(desk: Desk, how: str) -> None:
    app_id, digest = await an_app(desk)
    await damage(desk, await name_of(desk, digest), how)
    forget()
    auditor = Auditor(desk.studio.resources)

    with capture_logs() as logs:
        found = await swept(auditor)

    assert found == [Place(desk.workspace_id, app_id, "page:Home")]
    assert REGISTRY.get_sample_value("basalt_invariant_violations", LABELS) == 1
    (line,) = [one for one in logs if one["event"] == "invariant_broken"]
    assert (line["app_id"], line["section"]) == (str(app_id), "page:Home")
    await assert_stored_as_computed(desk, digest, how)
    await swept(auditor)
    assert await swept(auditor) == []
    assert REGISTRY.get_sample_value("basalt_invariant_violations", LABELS) == 0


@pytest.mark.parametrize("how", ["body", "parts", "garbage"])
async def test_before_that_nobody_meets_damage(desk: Desk, how: str) -> None:
    _, digest = await an_app(desk)
    sound = await desk.graphs.page(desk.workspace_id, digest, "Home")
    await damage(desk, await name_of(desk, digest), how)
    forget()

    graph = await desk.graphs.page(desk.workspace_id, digest, "Home")

    assert graph is not None
    assert sound is not None
    assert graph.readings == sound.readings
    (found,) = await swept(Auditor(desk.studio.resources))
    assert found.section == "page:Home"


async def test_what_this_process_keeps_of_it_is_audited_too(desk: Desk) -> None:
    _, digest = await an_app(desk)
    name = await name_of(desk, digest)
    right = await desk.studio.resources.mongo.get(kept.READINGS, name)
    assert right is not None
    await damage(desk, name, "one use less")
    forget()
    await desk.graphs.pages(desk.workspace_id, digest)
    await desk.studio.resources.mongo.replace(kept.READINGS, right)  # as another replica would

    (found,) = await swept(Auditor(desk.studio.resources))

    assert found.section == "page:Home"
    assert not kept.READING_CACHE.peek((desk.workspace_id, name.partition(":")[2]))


async def test_readings_that_are_missing_are_made_and_are_no_fault(desk: Desk) -> None:
    _, digest = await an_app(desk)
    name, documents = await name_of(desk, digest), desk.studio.resources.mongo
    before = await documents.get(kept.READINGS, name)
    await documents._database[kept.READINGS].delete_one({"_id": name})
    forget()

    found = await swept(Auditor(desk.studio.resources))

    assert found == []
    assert await documents.get(kept.READINGS, name) == before


async def test_a_source_that_is_lost_is_no_reason_to_stop(desk: Desk) -> None:
    _, digest = await an_app(desk)
    manifest = await desk.contents.manifest(desk.workspace_id, digest)
    documents, before = desk.studio.resources.mongo, counted(Outcome.LOST)
    lost, broken = (f"{desk.workspace_id}:{manifest.packs_of(s)[0]}" for s in ("app", "page:Home"))
    await documents._database["packs"].delete_one({"_id": lost})
    await documents.replace("packs", {"_id": broken, "body": b"garbage"})

    assert await swept(Auditor(desk.studio.resources)) == []

    assert counted(Outcome.LOST) - before == 2


@pytest.mark.parametrize("content", [{"body": b"garbage"}, {}])
@pytest.mark.parametrize("collection", ["revisions", "packs"])
async def test_damage_of_one_app_hides_no_other_apps(
    desk: Desk, collection: str, content: dict[str, bytes]
) -> None:
    documents = desk.studio.resources.mongo
    async for document in documents._database[collection].find({}):  # the starter app's
        await documents.replace(collection, {"_id": document["_id"], **content})
    app_id, digest = await an_app(desk)
    await damage(desk, await name_of(desk, digest), "garbage")

    found = await swept(Auditor(desk.studio.resources))

    assert found == [Place(desk.workspace_id, app_id, "page:Home")]


async def test_beside_a_platform_at_work_nothing_is_reported(desk: Desk) -> None:
    editor = Editor(desk, Random(11), 5)
    await editor.begin()
    auditor, looks = Auditor(desk.studio.resources), 0
    working = asyncio.create_task(at_work(editor))

    found: list[Place] = []
    while not working.done() or looks == 0:
        found += await auditor.look()
        looks += 1

    await working
    assert found == []
    assert looks > 5


async def at_work(editor: Editor) -> None:
    for _ in range(18):
        await editor.edit()


async def test_it_takes_the_share_of_time_that_it_is_given(desk: Desk) -> None:
    await an_app(desk)
    clock = SlowClock()
    desk.studio.resources.clock = clock
    auditor = Auditor(desk.studio.resources)

    with pytest.raises(asyncio.CancelledError):
        await auditor.run()

    looked = clock.work_s * desk.settings.audit_sections_max
    assert clock.slept == [desk.settings.audit_period_s, looked / desk.settings.audit_share_max]


class SlowClock:
    """Every section takes a second; the third wait is cut off."""

    work_s = 1.0

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._at = 0.0

    def monotonic(self) -> float:
        self._at += self.work_s
        return self._at

    async def sleep(self, seconds: float) -> None:
        if len(self.slept) == 2:
            raise asyncio.CancelledError
        self.slept.append(seconds)
