"""`./basalt saga`: look at sagas of every workspace, and do what an operator may do to them."""

import argparse
import json
from typing import Any
from uuid import UUID

from chassis.saga.state import Status
from contracts.base import Command
from contracts.orchestrator.operating import (
    AbandonSaga,
    BulkAnswer,
    CompensateSaga,
    GetSaga,
    ListSagas,
    PauseSaga,
    ResumeSaga,
    RetrySaga,
    RetrySagas,
    SagaSummary,
    SignalSaga,
    SkipStep,
)
from services.gateway import ids
from tools.basalt.door import Door, guarded, operator_name
from tools.basalt.timeline import line_of, mermaid, story

SERVICE = "orchestrator"
VERBS: dict[str, tuple[type[Command[SagaSummary]], str, bool]] = {
    "retry": (RetrySaga, "send what is awaited again now", False),
    "compensate": (CompensateSaga, "undo it, if it has not passed its pivot", True),
    "pause": (PauseSaga, "hold it back: answers count, nothing is sent", False),
    "resume": (ResumeSaga, "let it go on", False),
    "abandon": (AbandonSaga, "end it as it stands and free its locks", True),
    "skip": (SkipStep, "attest that a step was done by hand", True),
    "signal": (SignalSaga, "answer its wait for approval", False),
}
"""Verb to contract, help, and whether a reason is required."""


def add(parser: argparse.ArgumentParser) -> None:
    """The subcommands."""
    parsers = parser.add_subparsers(dest="verb", required=True)
    listing = parsers.add_parser("list", help="a line per saga, newest first")
    for name in ("kind", "subject-id", "step"):
        listing.add_argument(f"--{name}", default="")
    listing.add_argument("--status", type=str.upper, choices=list(map(str, Status)), default="")
    listing.add_argument("--stuck", action="store_true", help="needs attention, or is overdue")
    listing.add_argument("--limit", type=int, default=50)
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=guarded(_list))
    show = parsers.add_parser("show", help="its story: steps, attempts, waits, who did what")
    show.add_argument("saga_id", type=saga_id)
    show.add_argument("--mermaid", action="store_true", help="as a sequence diagram")
    show.add_argument("--json", action="store_true")
    show.set_defaults(run=guarded(_show))
    for verb in VERBS:
        _add_verb(parsers, verb)


def saga_id(text: str) -> UUID:
    """A saga's id, or the global id of its Operation, which is what users can tell."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(str(ids.decode(text, "Operation").fields["operation_id"]))


def _add_verb(parsers: Any, verb: str) -> None:  # argparse's private type
    _, what, needs_reason = VERBS[verb]
    parser = parsers.add_parser(verb, help=what)
    if verb == "retry":
        parser.add_argument(
            "saga_id",
            type=saga_id,
            nargs="?",
            help="without one, in bulk: those that need attention",
        )
        parser.add_argument("--kind", default="")
        parser.add_argument("--step", default="", dest="at_step")
        parser.add_argument("--error-type", default="")
        parser.add_argument("--limit", type=int, default=100)
        parser.add_argument("--yes", action="store_true", help="in bulk: do it, not only preview")
    else:
        parser.add_argument("saga_id", type=saga_id)
    if verb == "skip":
        parser.add_argument("--step", required=True)
        parser.add_argument("--fields", type=json.loads, default={}, help="its answer, as JSON")
    if verb == "signal":
        choice = parser.add_mutually_exclusive_group(required=True)
        choice.add_argument("--approve", dest="approved", action="store_true")
        choice.add_argument("--refuse", dest="approved", action="store_false")
    parser.add_argument("--reason", required=needs_reason, default="")
    parser.add_argument("--version", type=int, help="refuse when it has moved from this version")
    parser.set_defaults(run=guarded(_do))


def _list(door: Door, given: argparse.Namespace) -> int:
    query = ListSagas(
        kind=given.kind,
        status=given.status,
        subject_id=given.subject_id,
        step=given.step,
        stuck=given.stuck,
        limit=given.limit,
    )
    page = door.ask(SERVICE, query)
    if given.json:
        print(page.model_dump_json())
        return 0
    for saga in page.sagas:
        print(line_of(saga))
    more = " (there are more: --limit)" if page.cursor_next else ""
    print(f"{len(page.sagas)} sagas{more}")
    return 0


def _show(door: Door, given: argparse.Namespace) -> int:
    details = door.ask(SERVICE, GetSaga(saga_id=given.saga_id))
    if given.json:
        print(details.model_dump_json())
    else:
        print(mermaid(details) if given.mermaid else story(details))
    return 0


def _do(door: Door, given: argparse.Namespace) -> int:
    if given.saga_id is None:
        return _in_bulk(door, given)
    contract = VERBS[given.verb][0]
    wanted = {name: getattr(given, name, None) for name in ("step", "fields", "approved")}
    fields = {name: value for name, value in wanted.items() if name in contract.model_fields}
    command = contract(
        saga_id=given.saga_id,
        reason=given.reason,
        expected_version=given.version,
        operator=operator_name(),
        **fields,
    )
    print(line_of(door.send(SERVICE, command)))
    return 0


def _in_bulk(door: Door, given: argparse.Namespace) -> int:
    command = RetrySagas(
        kind=given.kind,
        step=given.at_step,
        error_type=given.error_type,
        preview=not given.yes,
        limit=given.limit,
        reason=given.reason,
        operator=operator_name(),
    )
    answer: BulkAnswer = door.send(SERVICE, command)
    for saga_id in answer.saga_ids:
        print(saga_id)
    done = "that need attention"
    done += " would be retried (--yes does it)" if answer.preview else " are retried"
    more = ", and more match" if answer.more else ""
    print(f"{len(answer.saga_ids)} sagas {done}{more}")
    return 0
