"""The rules that are code and no query: histories of sagas, and payments against the books."""

import pytest

from tools.basalt.check.invariants.money import disagreement
from tools.basalt.check.invariants.sagas import illegal

LEGAL = (
    ("started step_done step_done", "COMPLETED"),
    ("started+waits_for_lock locked step_done sent_again step_done ignored", "COMPLETED"),
    ("started+waits_for_approval approved step_done", "COMPLETED"),
    ("started step_done step_skipped", "COMPLETED"),
    ("started step_done step_rejected step_undone", "COMPENSATED"),
    ("started+waits_for_approval approval_expired", "COMPENSATED"),
    ("started+waits_for_lock deadline_passed", "COMPENSATED"),
    ("started given_up paused resumed step_undone", "COMPENSATED"),
    ("started needs_attention+sent_again abandoned ignored", "ABANDONED"),
    ("started", "RUNNING"),
)
ILLEGAL = (
    ("step_done started", "RUNNING", "line 1 is step_done"),
    ("started started", "RUNNING", "line 2 is started"),
    ("started cancelled step_done", "COMPENSATING", "line 3 is step_done"),
    ("started step_rejected locked", "COMPENSATING", "line 3 is locked"),
    ("started step_undone", "COMPENSATING", "line 2 is step_undone"),
    ("started abandoned sent_again", "ABANDONED", "line 3 is sent_again, after its end"),
    ("started step_rejected", "COMPLETED", "although it had turned back"),
    ("started step_done", "COMPENSATED", "never turned back"),
    ("started step_done", "ABANDONED", "does not tell"),
)


@pytest.mark.parametrize(("story", "status"), LEGAL)
def test_what_the_engine_writes_is_legal(story: str, status: str) -> None:
    assert illegal(story, status) == ""


@pytest.mark.parametrize(("story", "status", "fault"), ILLEGAL)
def test_what_cannot_happen_is_told(story: str, status: str, fault: str) -> None:
    assert fault in illegal(story, status)


@pytest.mark.parametrize(
    ("state", "amount", "taken", "given"),
    [
        ("captured", 5, 1, 0),
        ("captured", 0, 0, 0),
        ("refunded", 5, 1, 1),
        ("voiding", 5, 1, 0),
        ("voiding", 5, 0, 0),
        ("authorised", 5, 0, 0),
        ("declined", 5, 0, 0),
    ],
)
def test_a_payment_agrees_with_the_books(state: str, amount: int, taken: int, given: int) -> None:
    assert disagreement(state, amount, taken, given) == ""


@pytest.mark.parametrize(
    ("state", "taken", "given", "fault"),
    [
        ("captured", 2, 0, "taken 2 times"),
        ("captured", 2, 1, "taken 2 times"),
        ("captured", 0, 0, "the books have it 0 times"),
        ("refunded", 1, 0, "the books have it 1 times"),
        ("voided", 1, 0, "the books have it 1 times"),
        ("refunded", 1, 2, "given back 2 times"),
        (None, 1, 0, "no such payment"),
    ],
)
def test_a_payment_that_disagrees_is_told(
    state: str | None, taken: int, given: int, fault: str
) -> None:
    assert fault in disagreement(state, 5, taken, given)
