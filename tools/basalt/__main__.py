"""`./basalt COMMAND ...`: see `./basalt --help`. Exit codes: 0 done, 1 a finding, 2 bad usage."""

import argparse
import sys
from collections.abc import Callable
from importlib import import_module

COMMANDS = {
    "check": "prove from stores and topics that nothing is lost, doubled or left behind",
    "dlq": "dead letters and parked keys: list, show, redrive, discard",
    "fault": "faults on purpose, in staging: arm, list, stop",
    "saga": "sagas: list, show, retry, skip, compensate, pause, resume, signal, abandon",
}
"""Subcommand to help; `tools.basalt.<name>` has `add(parser)`, which sets `run`."""


def main(arguments: list[str] | None = None) -> int:
    """Run one subcommand; its exit code."""
    parser = argparse.ArgumentParser(prog="basalt", description=__doc__)
    parsers = parser.add_subparsers(dest="command", required=True)
    given = sys.argv[1:] if arguments is None else arguments
    wanted = given[0] if given and given[0] in COMMANDS else ""
    for name, what in COMMANDS.items():
        sub = parsers.add_parser(name, help=what)
        if name == wanted:  # only what is asked for is imported
            import_module(f"tools.basalt.{name}").add(sub)
    parsed = parser.parse_args(given)
    run: Callable[[argparse.Namespace], int] = parsed.run
    return run(parsed)


if __name__ == "__main__":
    sys.exit(main())
