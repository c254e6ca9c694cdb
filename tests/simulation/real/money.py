"""Money, by what the payment provider really did: code of neither the services nor the checker."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chassis.testing.simulation.checker import Violation, json_of

if TYPE_CHECKING:
    from tests.simulation.real.world import RealWorld


def money_moved(world: "RealWorld") -> Iterator[Violation]:
    """I1 at the provider: taken once at most, exactly when the books say so; nothing set aside."""
    effects = world.outlives.provider.all_effects()
    paid = {str(row["id"]): json_of(row["state"]) for row in world.rows("billing", "payment")}
    ended = {
        json_of(row["state"])["data"].get("payment_id"): row["status"]
        for row in world.rows("orchestrator", "saga_instance")
    }
    abandoned = {key for key, status in ended.items() if status == "ABANDONED"}
    for key, done in effects.items():
        state = paid[key]["state"] if key in paid else "unknown to billing"
        taken = done.count("captured") - done.count("refunded")
        if done.count("captured") > 1:
            yield Violation("I1 money taken twice", f"payment {key}: {done}")
        elif taken != (state == "captured") and key not in abandoned:
            yield Violation("I1 money taken or not", f"payment {key} is {state}: {done}")
        elif taken != (ended.get(key) == "COMPLETED") and key not in abandoned:
            yield Violation("I1 money for nothing", f"its saga is {ended.get(key)}: {done}")
        elif done[-1] == "authorised" and key not in abandoned:
            yield Violation("I6 money set aside is left", f"payment {key} is {state}")
    for key, payment in paid.items():
        if payment["state"] == "captured" and payment["amount_minor"] and key not in effects:
            yield Violation("I1 money taken or not", f"payment {key} is captured by nobody")
