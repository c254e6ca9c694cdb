"""Billing's real handlers in simulated worlds."""

import secrets
from dataclasses import replace

import pytest

from chassis.testing.simulation.faults import NONE
from chassis.testing.simulation.scenario import Scenario
from sagas.publish_app import publish_app
from services.billing.model.accounts import Account
from tests.simulation.services import simulate_billing

PUBLISHES = Scenario((publish_app,), starts=20)
SEEDS = 6


def test_billing_counts_what_was_published_whatever_goes_wrong() -> None:
    base = secrets.randbelow(10**9)

    outcomes = [simulate_billing(PUBLISHES, seed) for seed in range(base, base + SEEDS)]

    assert [(o.seed, o.violations) for o in outcomes if o.violations] == []
    assert sum(outcome.sagas.get("COMPLETED", 0) for outcome in outcomes) > 0


def test_a_service_that_does_not_undo_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Account, "release", lambda self, reservation_id: False)
    refused = replace(PUBLISHES, refusals=0.4, faults=NONE)

    outcome = simulate_billing(refused, 1)

    assert "I6 reservation left" in {violation.name for violation in outcome.violations}


def test_a_service_that_forgets_what_is_live_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Account, "commit", lambda self, *given: False)

    outcome = simulate_billing(replace(PUBLISHES, faults=NONE), 1)

    assert "I1 consumption is not what was published" in {v.name for v in outcome.violations}
