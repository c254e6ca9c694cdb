"""The real services in simulated worlds, under fresh faults; and bugs that must be found there."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chassis.testing.simulation.faults import NONE
from chassis.testing.simulation.run import Totals, simulate
from services.billing.model.accounts import Account
from services.billing.model.payments import Payment
from services.delivery.model.app import Release
from services.identity.model.workspaces import Workspace
from services.studio.model import App
from services.studio.store.index import EntityIndex
from tests.simulation.scenarios import real

SEEDS = 8


def test_all_services_keep_their_promises_whatever_goes_wrong() -> None:
    base, totals = secrets.randbelow(10**9), Totals()

    for seed in range(base, base + SEEDS):
        totals.add(simulate(real(seed), seed))

    failures = [f"seed {one.seed}: {one.violations[0]}" for one in totals.failed]
    assert failures == [], f"tests.simulation.scenarios.real, seeds from {base}"
    assert totals.sagas["COMPLETED"] > SEEDS
    assert totals.sagas["COMPENSATED"] > SEEDS / 2


def test_the_same_seed_is_the_same_world_of_services() -> None:
    first, again = (simulate(real(77), 77) for _ in range(2))

    assert first.digest == again.digest


def _does_nothing(*_: Any, **__: Any) -> bool:
    return False


@pytest.mark.parametrize(
    ("owner", "name", "instead", "found"),
    [
        (Account, "release", _does_nothing, "saga_ended_with_residue"),
        (Account, "commit", _does_nothing, "quota_mismatch"),
        (Account, "close", _does_nothing, "saga_outcome"),
        (Workspace, "drop_hold", _does_nothing, "saga_ended_with_residue"),
        (App, "unfreeze", _does_nothing, "saga_ended_with_residue"),
        (Release, "step_down", _does_nothing, "pointer"),
        (Release, "abandon", _does_nothing, "saga_ended_with_residue"),
        (Payment, "transactions", lambda *_: (), "ledger_unbalanced"),
        (EntityIndex, "apply", _does_nothing, "draft_index"),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", ""),
)
def test_a_service_with_a_bug_is_found(
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    name: str,
    instead: Callable[..., Any],
    found: str,
) -> None:
    monkeypatch.setattr(owner, name, instead)
    refused = replace(real(1), refusals=0.15, faults=NONE)

    outcome = simulate(refused, 1)

    assert found in {violation.name for violation in outcome.violations}
