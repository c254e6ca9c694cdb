"""`./basalt fault`: make a service of a staging platform fail at one exact place.

The services must have been started with FAULTS=staging; docs/faults.md has the points.
"""

import argparse
import json
from typing import Any

from tools.basalt.door import Door, guarded

FILTERS = ("message-type", "topic", "step", "direction", "workspace-id")
NUMBERS = {"times": int, "expires-in-s": float, "delay-ms": int, "probability": float, "seed": int}


def add(parser: argparse.ArgumentParser) -> None:
    """The subcommands."""
    parsers = parser.add_subparsers(dest="verb", required=True)
    arm = parsers.add_parser("arm", help="put a rule in force, in one process of a service")
    arm.add_argument("service")
    arm.add_argument("point", help="such as outbox.after_commit; `list` names them")
    arm.add_argument("action", help="kill, error, unavailable, delay or refuse")
    for name in FILTERS:
        arm.add_argument(f"--{name}")
    for name, kind in NUMBERS.items():
        arm.add_argument(f"--{name}", type=kind)
    arm.set_defaults(run=guarded(_arm))
    for verb, run, what in (
        ("list", _list, "what is in force, and every point with its actions"),
        ("stop", _stop, "stop everything at once"),
    ):
        other = parsers.add_parser(verb, help=what)
        other.add_argument("service")
        other.set_defaults(run=guarded(run))


def _arm(door: Door, given: argparse.Namespace) -> int:
    names = [name.replace("-", "_") for name in (*FILTERS, *NUMBERS)]
    rule = {"point": given.point, "action": given.action}
    rule |= {name: value for name in names if (value := getattr(given, name)) is not None}
    print(_line(door.faults(given.service, "POST", json.dumps(rule))))
    return 0


def _list(door: Door, given: argparse.Namespace) -> int:
    found = door.faults(given.service, "GET")
    for rule in found["rules"]:
        print(_line(rule))
    print(f"{given.service}: {len(found['rules'])} in force. Points:")
    for point, actions in found["points"].items():
        print(f"  {point:<36} {', '.join(actions)}")
    return 0


def _stop(door: Door, given: argparse.Namespace) -> int:
    print(f"{given.service}: {door.faults(given.service, 'DELETE')['stopped']} stopped")
    return 0


def _line(rule: dict[str, Any]) -> str:
    what = [f"{rule['action']} at {rule['point']}"]
    what += [f"{name} {rule[name]}" for name in ("message_type", "step", "topic") if rule.get(name)]
    return f"{', '.join(what)}: fired {rule['fired']}, {rule['expires_in_s']:.0f} s left"
