"""The invariants. Importing this registers them all."""

from tools.basalt.check.invariants import (  # noqa: F401  # imported to be registered
    bodies,
    effects,
    events,
    feed,
    handling,
    holds,
    money,
    outcomes,
    releases,
    sagas,
    tenancy,
)
from tools.basalt.check.outcome import REGISTRY, Invariant

ORDER = (
    *("lost_event", "unfounded_event", "version_gap", "version_order"),
    *("doubled_effect", "unhandled_message", "lost_outbox_row", "accounting"),
    *("saga_without_wake_up", "saga_overdue", "saga_unfinished", "saga_illegal_transition"),
    *("saga_outcome", "saga_ended_with_residue", "orphan_reservation", "orphan_lock"),
    *("lock_not_held", "pointer", "quota_mismatch", "ledger_unbalanced"),
    *("foreign_workspace", "feed", "bodies"),
)

INVARIANTS: dict[str, Invariant] = {name: REGISTRY[name] for name in ORDER}
"""All of them, in the order of the report."""

assert INVARIANTS.keys() == REGISTRY.keys(), "every invariant has its place in the order"
