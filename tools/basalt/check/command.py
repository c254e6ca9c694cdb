"""The command line: what is asked for, and what comes out."""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable

from tools.basalt.check.examine import examine
from tools.basalt.check.invariants import INVARIANTS
from tools.basalt.check.report import Report, as_json, as_text
from tools.basalt.check.settings import CannotCheck, Limits, Places

SOUND, VIOLATED, UNCHECKED = 0, 1, 2
QUIET_S = 5.0
"""Between two lines of progress in a log."""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments and `run`."""
    default = Limits()
    parser.description = (
        "Exit code 0: sound. 1: an invariant is violated. 2: something could not be looked at."
        " Safe while the platform runs: it only reads."
    )
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="repeatable")
    parser.add_argument("--list", action="store_true", help="the invariants and what they mean")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    parser.add_argument(
        "--at-rest", action="store_true", help="nothing may be under way: strict, one look"
    )
    for name, value, what in (
        ("--grace", default.grace_s, "seconds between two looks at what is suspicious"),
        ("--outbox-age", default.outbox_age_s, "seconds that an outbox row may wait"),
        ("--overdue", default.overdue_s, "seconds that a saga's wake-up may be late"),
        ("--timeout", default.timeout_s, "seconds for all of it"),
        ("--inbox-keep-days", default.inbox_keep_days, "as the services are set"),
    ):
        parser.add_argument(name, type=float, default=value, metavar="N", help=what)
    for name, count, what in (
        ("--records", default.records_max, "records of all topics, the newest"),
        ("--rows", default.rows_max, "rows of a table"),
        ("--bodies", default.bodies_max, "documents read in full"),
        ("--blobs", default.blobs_max, "bundles read in full"),
        ("--findings", default.findings_max, "findings named for each invariant"),
    ):
        parser.add_argument(name, type=int, default=count, metavar="N", help=what)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check, print the report, give the exit code."""
    if arguments.list:
        for each in INVARIANTS.values():
            print(f"{each.name}\n    {each.meaning}")
        return SOUND
    unknown = sorted(set(arguments.only) - INVARIANTS.keys())
    if unknown:
        print(f"basalt check: no invariant is called {unknown[0]}: see --list", file=sys.stderr)
        return UNCHECKED
    limits = limits_of(arguments)
    tell: Callable[[str], None] = (lambda _: None) if arguments.quiet else Progress().tell
    try:
        report = asyncio.run(examine(Places.from_environment(), limits, tell))
    except CannotCheck as why:
        print(f"basalt check: {why}", file=sys.stderr)
        return UNCHECKED
    print(as_json(report) if arguments.json else as_text(report, limits.findings_max))
    for lacking in dict.fromkeys(line.why for line in report.unchecked):
        print(f"basalt check: {lacking}", file=sys.stderr)
    return exit_code(report)


def limits_of(arguments: argparse.Namespace) -> Limits:
    """The limits that the arguments ask for."""
    return Limits(
        at_rest=arguments.at_rest,
        grace_s=arguments.grace,
        outbox_age_s=arguments.outbox_age,
        overdue_s=arguments.overdue,
        inbox_keep_days=arguments.inbox_keep_days,
        records_max=arguments.records,
        rows_max=arguments.rows,
        bodies_max=arguments.bodies,
        blobs_max=arguments.blobs,
        findings_max=arguments.findings,
        timeout_s=arguments.timeout,
        only=frozenset(arguments.only),
    )


def exit_code(report: Report) -> int:
    """A violation weighs more than what could not be looked at."""
    if report.violated:
        return VIOLATED
    return UNCHECKED if report.unchecked else SOUND


class Progress:
    """One line on stderr that is written over, where somebody looks at it; else a line now and
    then."""

    def __init__(self) -> None:
        self._told_at = time.monotonic()

    def tell(self, text: str) -> None:
        """What is being done."""
        if sys.stderr.isatty():
            print(f"\r\033[Kbasalt check: {text}", end="", file=sys.stderr, flush=True)
        elif text and time.monotonic() >= self._told_at + QUIET_S:
            self._told_at = time.monotonic()
            print(f"basalt check: {text}", file=sys.stderr, flush=True)
