"""Billing with its workers, as a saga meets it: commands in, answers out, some of them later."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import httpx
import orjson

from chassis.clock import Clock, SystemClock, new_id
from chassis.messaging.envelope import Envelope
from chassis.outside import OutsideClient
from chassis.work.leases import WorkLeases
from chassis.work.rows import Bell
from chassis.work.workers import WorkLoop, worker_sources
from contracts.base import REGISTRY, Command, Message
from contracts.billing.account import OpenAccount, Plan
from contracts.billing.ledger import LedgerPage, ListLedger
from contracts.billing.payment import AuthorisePayment, CapturePayment, VoidPayment
from contracts.billing.plan_change import ApplyPlan, OpenPlanChange
from services.billing.main import service
from services.billing.payments import HttpPayments, PaymentProvider
from services.billing.views import list_ledger
from services.billing.work import WORKERS
from tests.services.participant import Participant, an_envelope, as_record

WAIT_S = 20.0
LEASE_S = 2.0
POLL_S = 0.01
AnyCommand = Command[Any]  # a command, whatever it answers


@dataclass
class Change:
    """The ids of one change of plan, as a saga mints them."""

    workspace_id: UUID
    change_id: UUID = field(default_factory=new_id)
    payment_id: UUID = field(default_factory=new_id)
    hold_id: UUID = field(default_factory=new_id)

    def open(self, plan: Plan) -> OpenPlanChange:
        return OpenPlanChange(workspace_id=self.workspace_id, change_id=self.change_id, plan=plan)

    def authorise(self, token: str) -> AuthorisePayment:
        return AuthorisePayment(
            workspace_id=self.workspace_id,
            change_id=self.change_id,
            payment_id=self.payment_id,
            payment_token=token,
        )

    @property
    def capture(self) -> CapturePayment:
        return CapturePayment(workspace_id=self.workspace_id, payment_id=self.payment_id)

    @property
    def void(self) -> VoidPayment:
        return VoidPayment(workspace_id=self.workspace_id, payment_id=self.payment_id)

    @property
    def apply(self) -> ApplyPlan:
        return ApplyPlan(
            workspace_id=self.workspace_id,
            change_id=self.change_id,
            payment_id=self.payment_id,
            hold_id=self.hold_id,
        )


@dataclass
class Desk:
    """`ask` waits for the answer; `tell` does not."""

    billing: Participant
    client: OutsideClient
    provider: PaymentProvider
    payments_url: str
    clock: Clock = field(default_factory=SystemClock)

    async def work(self) -> None:
        """Be a worker until cancelled."""
        resources = self.billing.resources
        given: dict[type, object] = {PaymentProvider: self.provider}
        workers = {
            kind: worker_sources(worker, service.provides, given)
            for kind, worker in WORKERS.items()
        }
        leases = WorkLeases(self.billing.database, self.clock, LEASE_S)
        bell = resources.opened.setdefault("work-bell", Bell())
        await WorkLoop(workers, leases, self.billing.chunk.execute, resources, bell).run()

    async def tell(self, command: AnyCommand) -> Envelope:
        """Send it as a saga does."""
        envelope = replace(
            an_envelope(command, self.clock),
            reply_to="reply.orchestrator.v1",
            correlation_id=new_id(),
        )
        await self.billing.chunk([as_record(envelope)])
        return envelope

    async def answers(self, to: Envelope) -> list[Message]:
        """What was answered to a command so far."""
        rows = await self.billing.database.fetch(
            "SELECT type, payload FROM outbox WHERE topic = 'reply.orchestrator.v1'"
            " AND headers::jsonb ->> 'ce_causationid' = $1 ORDER BY seq",
            str(to.id),
        )
        return [REGISTRY[r["type"]].model_validate(orjson.loads(r["payload"])) for r in rows]

    async def answer(self, to: Envelope) -> Message:
        """The first answer to a command, when it comes."""
        async with asyncio.timeout(WAIT_S):
            while not (found := await self.answers(to)):
                await self.clock.sleep(POLL_S)
        return found[0]

    async def ask(self, command: AnyCommand) -> Message:
        return await self.answer(await self.tell(command))

    async def an_account(self) -> Change:
        """An account on the free plan, and the ids of a change."""
        change = Change(new_id())
        await self.ask(OpenAccount(workspace_id=change.workspace_id))
        return change

    async def effects(self, change: Change) -> list[str]:
        """What the provider really did."""
        url = f"{self.payments_url}/effects/{change.payment_id}"
        async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
            answer = await http.get(url)
        return list(answer.json()["effects"])

    async def down(self, is_down: bool) -> None:
        """The provider answers nothing but 503, or is back."""
        async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
            await http.post(f"{self.payments_url}/rules", json={"down": is_down})

    async def ledger(self, change: Change) -> LedgerPage:
        query = ListLedger(workspace_id=change.workspace_id)
        return await list_ledger(query, self.billing.database)

    async def balances(self, change: Change) -> dict[str, int]:
        """What each account holds, those with nothing left out."""
        held = (await self.ledger(change)).balances
        return {each.account.value: each.amount_minor for each in held if each.amount_minor}

    async def close(self) -> None:
        await self.client.close()


def a_desk(billing: Participant, payments_url: str) -> Desk:
    """With a client of the provider of its own."""
    clock = SystemClock()
    client = OutsideClient("payments", payments_url, billing.resources.settings, clock)
    return Desk(billing, client, HttpPayments(client), payments_url)
