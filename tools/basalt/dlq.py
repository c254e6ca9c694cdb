"""`./basalt dlq`: messages that a service could not handle, and the keys that they hold up."""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.clock import SystemClock
from contracts.deadletter import (
    DeadLetter,
    DeadLetterDetails,
    DeadLettersMoved,
    DeadLetterState,
    DeadLetterTotals,
    DeadLetterUnknown,
    DiscardDeadLetters,
    GetDeadLetter,
    ListDeadLetters,
    RedriveDeadLetters,
)
from infra.local.stack import SERVICES
from tools.basalt.door import Door, Refused, guarded, operator_name

CONSUMERS = tuple(service.name for service in SERVICES if "postgres" in service.servers)
_AGO = re.compile(r"^(\d+)([smhd])$")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_COLUMNS = ("SERVICE", "STATE", "LETTER", "TRIES", "SINCE", "TYPE", "KEY", "ERROR")


def add(parser: argparse.ArgumentParser) -> None:
    """The subcommands."""
    parsers = parser.add_subparsers(dest="verb", required=True)
    listing = parsers.add_parser("list", help="a line per message, oldest first, and totals")
    _add_filters(listing)
    listing.add_argument("--inbox", action="store_true", help="count what was handled, too")
    listing.add_argument("--limit", type=int, default=50, help="of each service")
    listing.set_defaults(run=guarded(_list))
    show = parsers.add_parser("show", help="one message: headers, body, who did what")
    show.add_argument("letter_id", type=UUID)
    show.add_argument("--service", choices=CONSUMERS)
    show.add_argument("--json", action="store_true")
    show.set_defaults(run=guarded(_show))
    redrive = parsers.add_parser(
        "redrive", help="try again: of each key the first, the others follow in order"
    )
    redrive.add_argument("--per-second", type=int, default=20, help="keys that begin in a second")
    discard = parsers.add_parser("discard", help="never handle these; the rest of the key goes on")
    for verb, needs_reason in ((redrive, False), (discard, True)):
        verb.add_argument("letter_ids", type=UUID, nargs="*", metavar="letter_id")
        _add_filters(verb)
        verb.add_argument("--limit", type=int, default=100, help="of each service")
        verb.add_argument("--yes", action="store_true", help="do it, not only a preview")
        verb.add_argument("--reason", required=needs_reason, default="")
        verb.set_defaults(run=guarded(_move))


def _add_filters(parser: argparse.ArgumentParser) -> None:
    states = [state.value for state in DeadLetterState]
    parser.add_argument("--service", choices=CONSUMERS, help="without it: all")
    parser.add_argument("--state", action="append", default=[], choices=states)
    parser.add_argument("--topic", default="")
    parser.add_argument("--key", default="")
    parser.add_argument("--type", default="")
    parser.add_argument(
        "--since", type=_moment, help="2h, 30m, or a time such as 2026-05-01T12:00Z"
    )
    parser.add_argument("--until", type=_moment)
    parser.add_argument("--json", action="store_true")


def _filters(given: argparse.Namespace) -> dict[str, Any]:  # fields of the three contracts
    return {
        "states": given.state,
        "topic": given.topic,
        "record_key": given.key,
        "type": given.type,
        "since": given.since,
        "until": given.until,
        "limit": given.limit,
    }


def _list(door: Door, given: argparse.Namespace) -> int:
    query = ListDeadLetters(**_filters(given), inbox=given.inbox)
    letters: list[DeadLetter] = []
    totals: dict[str, list[DeadLetterTotals]] = {}
    code, more = 0, False
    for service in _services(given):
        try:
            page = door.ask(service, query)
        except Refused as refused:
            print(f"basalt: {refused}", file=sys.stderr)
            code = 1
            continue
        letters += page.letters
        totals[service] = page.totals
        more = more or bool(page.cursor_next)
    if given.json:
        print(
            json.dumps(
                {
                    "letters": [letter.model_dump(mode="json") for letter in letters],
                    "totals": {s: [t.model_dump() for t in each] for s, each in totals.items()},
                }
            )
        )
        return code
    _table(letters)
    for service, groups in totals.items():
        for group in groups:
            print(_sum(service, group))
    print(f"{len(letters)} messages{' (there are more: --limit)' if more else ''}")
    return code


def _show(door: Door, given: argparse.Namespace) -> int:
    details = _find(door, given.letter_id, _services(given))
    if given.json:
        print(details.model_dump_json())
        return 0
    for name, value in details.letter:
        if value not in ("", None):
            print(f"{name:>15}  {_flat(value)}")
    print(f"{'behind':>15}  {details.behind} messages wait behind it")
    print("headers")
    for header in details.headers:
        print(f"{header.name:>20}  {_flat(header.text)}")
    print(f"body, {details.body_bytes} bytes, sha256 {details.body_sha256}")
    print(_flat(details.body) or "  not shown: no JSON object, so nothing says what is secret")
    for act in details.acts:
        print(f"{act.at:%Y-%m-%d %H:%M:%S}  {act.act} by {_flat(act.by)}  {_flat(act.why)}")
    return 0


def _move(door: Door, given: argparse.Namespace) -> int:
    """Redrive or discard, where the letters are."""
    services: dict[str, list[UUID]] = {service: [] for service in _services(given)}
    if given.letter_ids:
        services = {}
        for letter_id in given.letter_ids:
            owner = _find(door, letter_id, _services(given)).letter.service
            services.setdefault(owner, []).append(letter_id)
    answers: dict[str, DeadLettersMoved] = {}
    for service, ids in services.items():
        answers[service] = door.send(service, _command(given, ids))
    if given.json:
        print(json.dumps({s: answer.model_dump(mode="json") for s, answer in answers.items()}))
        return 0
    for service, answer in answers.items():
        _tell(service, given.verb, answer)
    return 0


def _command(
    given: argparse.Namespace, ids: Sequence[UUID]
) -> RedriveDeadLetters | DiscardDeadLetters:
    fields = {
        **_filters(given),
        "letter_ids": ids,
        "preview": not given.yes,
        "reason": given.reason,
        "operator": operator_name(),
    }
    if given.verb == "discard":
        return DiscardDeadLetters.model_validate(fields)
    return RedriveDeadLetters.model_validate(fields | {"per_second": given.per_second})


def _tell(service: str, verb: str, answer: DeadLettersMoved) -> None:
    for letter_id in answer.letter_ids:
        print(f"{service}  {letter_id}")
    for refusal in answer.refused:
        print(f"{service}  {refusal.letter_id}  not: {refusal.why}")
    past = {"redrive": "redriven", "discard": "discarded"}[verb]
    done = f"would be {past} (--yes does it)" if answer.preview else past
    behind = f", {answer.following} follow" if answer.following else ""
    more = ", and more match" if answer.more else ""
    print(f"{service}: {len(answer.letter_ids)} {done}{behind}{more}")


def _find(door: Door, letter_id: UUID, services: Iterable[str]) -> DeadLetterDetails:
    """Wherever it is. Raises Refused."""
    for service in services:
        try:
            return door.ask(service, GetDeadLetter(letter_id=letter_id))
        except Refused as refused:
            if not isinstance(refused.rejection, DeadLetterUnknown):
                raise
    raise Refused(f"no service that was asked has a letter {letter_id}")


def _services(given: argparse.Namespace) -> tuple[str, ...]:
    return (given.service,) if given.service else CONSUMERS


def _table(letters: Sequence[DeadLetter]) -> None:
    if not letters:
        return
    rows = [_COLUMNS, *(_row(letter) for letter in letters)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(_COLUMNS) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[-1]]).rstrip())


def _row(letter: DeadLetter) -> tuple[str, ...]:
    return (
        letter.service,
        letter.state.value,
        str(letter.letter_id),
        str(letter.attempts),
        f"{letter.first_at:%m-%d %H:%M:%S}",
        _flat(letter.type)[:40] or "-",
        _flat(letter.record_key)[:36] or "-",
        _flat(letter.error)[:60],
    )


def _sum(service: str, group: DeadLetterTotals) -> str:
    counts = [f"{name} {n}" for name, n in group if name != "consumer_group" and n is not None]
    return f"{service} ({group.consumer_group}): {', '.join(counts)}"


def _flat(value: object) -> str:
    """On one line, and without what a terminal would obey."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value))


def _moment(text: str) -> datetime:
    ago = _AGO.match(text)
    if ago:
        return SystemClock().now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: 2h, or 2026-05-01T12:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
