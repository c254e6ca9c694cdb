"""What may be asked from outside, and by whom, is decided for every contract."""

import ast
from pathlib import Path

import pytest

from contracts.base import Command, Event, Message, Query, Rejection, Reply, answer_of
from contracts.catalogue import CONTRACTS
from tests.conformance.tidy import ROOT

PERMISSIONS = {
    "workspace.read",
    "app.edit",
    "app.publish",
    "member.manage",
    "workspace.manage",
    "operator",
    "user",
    "public",
}
PUBLIC = {"identity.Authorize.v1", "identity.LogIn.v1", "identity.Register.v1"}
"""Whoever adds to this list lets strangers in: ask for a review."""

SERVICES_ONLY = {
    "billing.ApplyPlan.v1",
    "billing.AuthorisePayment.v1",
    "billing.CancelPlanChange.v1",
    "billing.CapturePayment.v1",
    "billing.ChangePlan.v1",
    "billing.CloseAccount.v1",
    "billing.CommitQuota.v1",
    "billing.OpenAccount.v1",
    "billing.OpenPlanChange.v1",
    "billing.RecordPayment.v1",
    "billing.ReleaseQuota.v1",
    "billing.ReserveQuota.v1",
    "billing.VoidPayment.v1",
    "delivery.AbandonRelease.v1",
    "delivery.StageRelease.v1",
    "delivery.SwitchLivePointer.v1",
    "identity.ActivateWorkspace.v1",
    "identity.ApplyDefaultSettings.v1",
    "identity.ApplySeats.v1",
    "identity.CreateWorkspace.v1",
    "identity.DeleteWorkspace.v1",
    "identity.DropSeatsHold.v1",
    "identity.HoldSeats.v1",
    "studio.ApplyApps.v1",
    "studio.CreateStarterApp.v1",
    "studio.DiscardStarterApp.v1",
    "studio.DropAppsHold.v1",
    "studio.FinishImport.v1",
    "studio.FreezeRevision.v1",
    "studio.HoldApps.v1",
    "studio.TagRevision.v1",
    "studio.UnfreezeRevision.v1",
}
"""Reachable over Kafka only. A contract that forgot its permission is not on this list."""

ASKED = {name: c for name, c in CONTRACTS.items() if issubclass(c, Command | Query)}
EACH_ASKED = pytest.mark.parametrize("contract", ASKED.values(), ids=ASKED)
EACH = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
KINDS = (Command, Query, Event, Reply, Rejection)
HANDLERS = [*ROOT.glob("services/*/handlers.py"), *ROOT.glob("services/*/handlers/*.py")]
COMMITS = {"commit", "rollback", "begin_nested", "transaction", "publish", "flush"}


@EACH_ASKED
def test_every_question_from_outside_has_a_permission(contract: type[Message]) -> None:
    if contract.permission is None:
        assert contract.address.type in SERVICES_ONLY
    else:
        assert contract.permission in PERMISSIONS


def test_what_strangers_may_ask_is_a_reviewed_list() -> None:
    assert {name for name, c in ASKED.items() if c.permission == "public"} == PUBLIC


def test_what_only_services_may_ask_is_a_reviewed_list() -> None:
    assert {name for name, c in ASKED.items() if c.permission is None} == SERVICES_ONLY


@EACH_ASKED
def test_a_right_in_a_workspace_needs_the_workspace(contract: type[Message]) -> None:
    if contract.permission not in (None, "operator", "user", "public"):
        assert "workspace_id" in contract.model_fields


@EACH_ASKED
def test_a_question_says_what_it_answers(contract: type[Message]) -> None:
    assert answer_of(contract).address.type in CONTRACTS


@EACH
def test_a_contract_is_a_pure_shape(contract: type[Message]) -> None:
    kinds = [kind for kind in KINDS if issubclass(contract, kind)]
    methods = [name for name, value in vars(contract).items() if _is_own_method(contract, value)]

    assert len(kinds) == 1
    assert methods == []
    assert contract.__doc__ or issubclass(contract, Query | Command)


@EACH
def test_a_public_fact_or_a_command_has_a_key_of_its_own(contract: type[Message]) -> None:
    on_kafka = issubclass(contract, Event) or contract.address.type in SERVICES_ONLY
    if on_kafka:
        assert contract.address.key in contract.model_fields


@EACH
def test_a_sagas_command_carries_its_workspace(contract: type[Message]) -> None:
    if contract.address.type in SERVICES_ONLY:
        assert "workspace_id" in contract.model_fields
        assert "id" not in contract.model_fields


def commits(text: str) -> list[str]:
    """Awaited calls by which a handler would end a transaction or publish by itself. A model's
    own verbs may be called `commit`: they are never awaited."""
    return [
        f"line {node.lineno}: .{node.value.func.attr}()"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Await)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr in COMMITS
    ]


@pytest.mark.parametrize("file", HANDLERS, ids=lambda file: str(file.relative_to(ROOT)))
def test_handlers_do_not_commit(file: Path) -> None:
    assert commits(file.read_text()) == []


def test_a_commit_would_be_found() -> None:
    text = "async def f(command, database):\n    await database.commit()\n"

    assert commits(text) == ["line 2: .commit()"]


def _is_own_method(contract: type[Message], value: object) -> bool:
    return callable(value) and getattr(value, "__module__", "") == contract.__module__
