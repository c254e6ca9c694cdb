"""The golden journey and its mirrors, through two replicas of everything."""

from tests.flows.platform import Platform
from tests.flows.soundness import assert_sound, fetch, read_records
from tests.samples.shop import shop_zip
from tools.journey.client import Client
from tools.journey.golden import golden
from tools.journey.mirrors import mirrors
from tools.journey.story import Story


async def test_the_golden_journey_and_its_mirrors(platform: Platform) -> None:
    client = Client(platform.gateway)
    story = Story(client, shop_zip(copies=1))

    await golden(story)
    await mirrors(story)

    await assert_sound(platform)
    sagas = await fetch(
        platform, "orchestrator", "SELECT status, count(*) AS sagas FROM saga_instance GROUP BY 1"
    )
    assert {row["status"] for row in sagas} == {"COMPLETED", "COMPENSATED"}
    await client.close()


CARRIERS = {
    *("cmd.billing.v1", "cmd.studio.v1", "cmd.delivery.v1", "reply.orchestrator.v1"),
    *("billing.account.v1", "studio.app.v1", "delivery.release.v1", "orchestrator.saga.v1"),
}
"""Where a publish leaves its trace on Kafka: each command, each reply, each fact."""


async def test_one_trace_id_finds_the_whole_way(platform: Platform) -> None:
    """The id that GraphQL answered is in the saga's row, in the outbox rows that became records,
    and, as the journey itself checks, in the feed, where the last consumer wrote it."""
    client = Client(platform.gateway)
    story = Story(client, shop_zip(copies=1))
    await golden(story)
    await assert_sound(platform)

    rows = await fetch(
        platform,
        "orchestrator",
        "SELECT type FROM saga_instance WHERE traceparent LIKE $1",
        f"%{story.trace_id}%",
    )
    records = await read_records(platform, lambda topic: topic.endswith(".v1"))

    assert [row["type"] for row in rows] == ["publish_app"]
    found = {r.topic for r in records if story.trace_id in r.headers.get("ce_traceparent", "")}
    assert found >= CARRIERS
    await client.close()
