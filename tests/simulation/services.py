"""Worlds in which billing is the real one: its handlers, model, store and migrations.

The participants that the simulator makes up write down each effect; here the same message goes
through the service's own handler too, in the same transaction. So the usual judge sees the deeds,
and what the service keeps is judged besides: nothing stays reserved, and what is live is what was
published.
"""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints
from uuid import UUID

from chassis.context import Context
from chassis.messaging.handlers import Handler
from chassis.stores.migrate import migrations_of
from chassis.testing.simulation.checker import Violation
from chassis.testing.simulation.participants import Participant
from chassis.testing.simulation.postgres import SimPostgres
from chassis.testing.simulation.run import in_silence
from chassis.testing.simulation.scenario import Scenario
from chassis.testing.simulation.world import DEEDS, Outcome, World
from services.billing.handlers.accounts import commit_quota, release_quota, reserve_quota
from services.billing.model.accounts import Account, Accounts
from services.billing.store.accounts import SqlAccounts

SERVICES = Path(__file__).parents[2] / "services"
LEDGER_TRIGGERS = ("billing_balanced", "billing_append_only")
"""Publishing writes nothing into the ledger."""

REAL = (reserve_quota, release_quota, commit_quota)


class OpenAccounts(SqlAccounts):
    """Every workspace has an account on the free plan."""

    async def get(self, key: UUID | str) -> Account | None:
        return await super().get(key) or Account(UUID(str(key)))


class RealBilling(World):
    """A world of sagas that ask billing for quota."""

    def _build(self) -> None:
        super()._build()
        billing = next(one for one in self.participants if one.name == "billing")
        _take_real_handlers(billing)
        migrations = (*migrations_of(SERVICES / "billing"), DEEDS)
        server = SimPostgres(self._now, migrations, ignored=LEDGER_TRIGGERS)
        self.servers["billing"] = server
        for machine in self.machines:
            if machine.service == "billing":
                machine.server = server


def simulate_billing(scenario: Scenario, seed: int) -> Outcome:
    """One seed's world with the real billing, judged twice."""
    with in_silence():
        world = RealBilling(scenario, seed)
        outcome = world.run()
    outcome.violations += _judged(world)
    return outcome


def _judged(world: World) -> Iterator[Violation]:
    published: dict[str, set[str]] = {}
    for saga in world.rows("orchestrator", "saga_instance"):
        data = _json(saga["state"])["data"]
        live = published.setdefault(data["workspace_id"], set())
        if saga["status"] == "COMPLETED":
            live.add(data["app_id"])
    for row in world.rows("billing", "account"):
        account = _json(row["state"])
        if account["reservations"]:
            yield Violation("I6 reservation left", f"{row['id']}: {account['reservations']}")
        if set(account["apps"]) != published.get(str(row["id"]), set()):
            seen = f"{sorted(account['apps'])} counted for {row['id']}"
            yield Violation("I1 consumption is not what was published", seen)


def _take_real_handlers(participant: Participant) -> None:
    """Each made-up handler also does what the service does."""
    for store in participant.stores.values():
        store.announces = ""  # the service's own store announces
    real = {next(iter(get_type_hints(one).values())): one for one in REAL}
    participant.handlers[:] = [
        _both(made_up, real[message])
        if (message := made_up.__annotations__.get("message")) in real
        else made_up
        for made_up in participant.handlers
    ]


def _both(made_up: Handler, real: Handler) -> Handler:
    hints = made_up.__annotations__

    async def handle(message: Any, deeds: Any, accounts: Any, context: Context) -> Any:
        await made_up(message, deeds, context)
        return await real(message, accounts)

    assert get_type_hints(real)["accounts"] is Accounts
    assert len(inspect.signature(real).parameters) == 2, "more than accounts is not given here"
    handle.__name__ = real.__name__
    handle.__annotations__ = {
        "message": hints["message"],
        "deeds": hints["deeds_of"],
        "accounts": OpenAccounts,
        "context": Context,
    }
    return handle


def _json(value: Any) -> Any:  # JSON, as text or decoded
    return json.loads(value) if isinstance(value, str | bytes) else value
