"""Plans through two replicas of everything, with a payment provider that loses answers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx

from services.gateway.ids import decode
from tests.flows.platform import Platform
from tests.flows.soundness import assert_sound, fetch
from tests.flows.traveller import Traveller
from tools.journey.client import fresh_key

CHANGE_PLAN = """mutation($input: ChangePlanInput!) { changePlan(input: $input) {
    __typename ... on Operation { id } ... on Failure { code message } } }"""
EFFECT_TIMEOUT_S = 30.0
POLL_S = 0.05
PAID = ["authorised", "captured"]


class Customer:
    """A traveller who changes the plan of their workspace."""

    def __init__(self, platform: Platform, traveller: Traveller) -> None:
        self._platform, self.traveller = platform, traveller
        self.workspace_id = decode(traveller.story.workspace_id, "Workspace").workspace_id

    async def wish(self, plan: str, token: str = "") -> str:
        """Begin a change of plan; its operation."""
        given = {
            "workspaceId": self.traveller.story.workspace_id,
            "plan": plan,
            "idempotencyKey": fresh_key(),
            **({"paymentToken": token} if token else {}),
        }
        client = self.traveller.client
        operation = await self.traveller.insist(client.done, CHANGE_PLAN, "Operation", **given)
        return str(operation["id"])

    async def change(self, plan: str, token: str = "") -> dict[str, Any]:  # what GraphQL says
        """Change the plan; the operation when it has ended."""
        return await self.traveller.ended(await self.wish(plan, token))

    async def plan(self) -> str:
        """The plan at this moment."""
        return str((await self.traveller.story.usage())["plan"])

    async def effects(self) -> list[list[str]]:
        """What the provider really did for each payment of the workspace, oldest first."""
        rows = await fetch(
            self._platform,
            "billing",
            "SELECT id FROM payment WHERE workspace_id = $1 ORDER BY id",
            self.workspace_id,
        )
        async with httpx.AsyncClient(base_url=self._platform.servers.payments_url) as http:
            found = [(await http.get(f"/effects/{row['id']}")).json()["effects"] for row in rows]
        return [each for each in found if each]

    async def await_effects(self, wanted: Callable[[list[list[str]]], bool]) -> None:
        """Until the provider has done it."""
        async with asyncio.timeout(EFFECT_TIMEOUT_S):
            while True:
                if wanted(await self.effects()):
                    return
                await asyncio.sleep(POLL_S)

    async def owed(self) -> int:
        """What the workspace owes; AssertionError when some transaction does not sum to zero."""
        rows = await fetch(
            self._platform,
            "billing",
            "SELECT transaction_id, account, amount_minor FROM billing_entry"
            " WHERE workspace_id = $1",
            self.workspace_id,
        )
        sums: dict[UUID, int] = {}
        for row in rows:
            sums[row["transaction_id"]] = sums.get(row["transaction_id"], 0) + row["amount_minor"]
        assert not any(sums.values()), sums
        return sum(row["amount_minor"] for row in rows if row["account"] == "customer")


@asynccontextmanager
async def provider_down(platform: Platform) -> AsyncIterator[None]:
    """The provider answers nothing but 503 inside."""
    async with httpx.AsyncClient(base_url=platform.servers.payments_url) as http:
        await http.post("/rules", json={"down": True})
        try:
            yield
        finally:
            await http.post("/rules", json={"down": False})


async def test_an_upgrade_is_paid_once_and_a_downgrade_leaves_credit(
    platform: Platform, traveller: Traveller
) -> None:
    customer = Customer(platform, traveller)

    upgraded = await customer.change("TEAM", "tok-lostauthorise-lostcapture")

    assert upgraded["state"] == "COMPLETED", upgraded
    assert await customer.plan() == "TEAM"
    assert await customer.effects() == [PAID]

    downgraded = await customer.change("FREE")

    assert downgraded["state"] == "COMPLETED", downgraded
    assert await customer.plan() == "FREE"
    assert await customer.effects() == [PAID]
    assert await customer.owed() == 0
    await assert_sound(platform)


async def test_a_decline_changes_nothing_and_says_why(
    platform: Platform, traveller: Traveller
) -> None:
    customer = Customer(platform, traveller)

    ended = [
        await customer.change("TEAM", "tok-declined"),
        await customer.change("TEAM", "tok-capturedeclined"),
        await customer.change("TEAM"),
    ]

    assert {each["state"] for each in ended} == {"COMPENSATED"}
    codes = [each["error"]["code"] for each in ended]
    assert codes == ["PAYMENT_DECLINED", "PAYMENT_DECLINED", "PAYMENT_METHOD_MISSING"]
    assert await customer.plan() == "FREE"
    assert not any("captured" in each for each in await customer.effects())
    assert await customer.owed() == 0
    await traveller.new_app()  # no hold is left behind
    await assert_sound(platform)


async def test_a_capture_outlives_every_billing_process(
    platform: Platform, traveller: Traveller
) -> None:
    """The provider has taken the money and answers late; whoever asked is dead by then."""
    customer = Customer(platform, traveller)
    operation = await customer.wish("TEAM", "tok-slow4000")
    await customer.await_effects(lambda effects: effects == [PAID])

    for replica in (0, 1):
        platform.kill9("billing", replica)
    for replica in (0, 1):
        platform.start_replica("billing", replica)

    ended = await traveller.ended(operation)
    assert ended["state"] == "COMPLETED", ended
    assert await customer.effects() == [PAID]
    platform.await_ready()
    assert await customer.plan() == "TEAM"
    assert await customer.owed() == 0
    await assert_sound(platform)


async def test_a_provider_that_is_down_delays_plans_and_nothing_else(
    platform: Platform, traveller: Traveller
) -> None:
    customer, neighbour = Customer(platform, traveller), Traveller(platform.gateway)
    await neighbour.settle()
    async with provider_down(platform):
        waiting = await customer.wish("TEAM", "tok-ok")

        for somebody in (traveller, neighbour):
            published = await somebody.ended(await somebody.publish())
            assert published["state"] == "COMPLETED", published
        found = await traveller.insist(traveller.client.ask, STATE, id=waiting)
        assert not found["operation"]["finished"]

    ended = await traveller.ended(waiting)
    assert ended["state"] == "COMPLETED", ended
    assert await customer.effects() == [PAID]
    await assert_sound(platform)
    await neighbour.close()


STATE = "query($id: ID!) { operation(id: $id) { finished } }"
