"""Fault points: named places where a crash, an error or a delay matters most.

They are compiled into the chassis and the saga engine, and inert: a place costs one look at
`FAULTS.armed`. Rules exist only where the setting FAULTS is `staging` (never in production), come
in at the service's own door from an authenticated operator (`chassis/doors/faults.py`), and expire.
Each firing is counted, logged, and appended to FAULTS_LOG before it happens.
"""

import os
import signal
import sys
from collections.abc import Iterable
from uuid import UUID

import orjson
import structlog
from prometheus_client import Counter

from chassis.clock import Clock, SystemClock
from chassis.errors import FaultRefused, Rejected, Unavailable
from chassis.faults.rules import EXPIRES_S_MAX, POINTS, Armed, Passage, Rule
from chassis.messaging.outbox import Outgoing

__all__ = [
    "EXPIRES_S_MAX",
    "FAULTS",
    "POINTS",
    "Armed",
    "Faults",
    "InjectedFault",
    "Passage",
    "Rule",
]

log = structlog.get_logger()

FIRED = Counter("basalt_faults_fired_total", "Faults injected on purpose", ["point", "action"])
RULES_MAX = 100
KNOWN_MAX = 10_000


class InjectedFault(Exception):
    """An error that nobody expects, raised on purpose."""


class Faults:
    """The rules of one process. `armed` is all that a fault point looks at while there is none."""

    def __init__(self) -> None:
        self.armed = False
        self._rules: dict[UUID, Armed] = {}
        self._known: dict[UUID, Passage] = {}  # rows on their way, for the point after them
        self._clock: Clock = SystemClock()
        self._log_file = ""
        self._service = ""

    def open(self, clock: Clock, service: str, log_file: str) -> None:
        """Say whose process this is, and where firings are written down ("" is nowhere)."""
        self._clock, self._service, self._log_file = clock, service, log_file

    def arm(self, rule: Rule) -> Armed:
        """Put a rule in force; the same id replaces it. Raises Unavailable above RULES_MAX."""
        self._drop_expired()
        if len(self._rules) >= RULES_MAX and rule.rule_id not in self._rules:
            raise Unavailable(f"there are {RULES_MAX} fault rules: DELETE /faults stops them")
        armed = Armed(rule, self._clock.monotonic() + rule.expires_in_s)
        self._rules[rule.rule_id] = armed
        self.armed = True
        log.warning("fault_armed", rule_id=str(rule.rule_id), point=rule.point, action=rule.action)
        return armed

    def stop_all(self) -> int:
        """Forget every rule; how many there were."""
        count = len(self._rules)
        self._rules.clear()
        self._known.clear()
        self.armed = False
        return count

    def rules(self) -> list[Armed]:
        """What is in force now."""
        self._drop_expired()
        return list(self._rules.values())

    def seconds_left(self, armed: Armed) -> float:
        """Until a rule expires."""
        return max(0.0, armed.until - self._clock.monotonic())

    async def at(self, point: str, passing: Iterable[object]) -> None:
        """Something passes a point. Call it only while `armed`. Raises what a rule says."""
        for rule, passage in self._firing(point, passing):
            match rule.action:
                case "delay":
                    await self._clock.sleep(rule.delay_ms / 1000)
                case "error":
                    raise InjectedFault(f"{point} {passage.type}")
                case "unavailable":
                    raise Unavailable(f"a fault at {point}")
                case "refuse":
                    raise Rejected(FaultRefused())

    def published(self, ids: Iterable[UUID]) -> None:
        """`relay.after_publish_before_delete`, where only the rows' ids are known."""
        passing = [self._known.pop(row_id) for row_id in ids if row_id in self._known]
        for _ in self._firing("relay.after_publish_before_delete", passing):
            pass  # its only action has ended the process

    def _firing(self, point: str, passing: Iterable[object]) -> list[tuple[Rule, Passage]]:
        """The rules that fire now, each written down; a kill happens in here."""
        self._drop_expired()
        found: list[tuple[Rule, Passage]] = []
        for item in passing:
            passage = Passage.of(item)
            if isinstance(item, Outgoing) and len(self._known) < KNOWN_MAX:
                self._known[item.id] = passage
            for armed in list(self._rules.values()):
                if armed.matches(point, passage):
                    found.append((armed.rule, passage))
                    self._fire(armed, passage)
        return found

    def _fire(self, armed: Armed, passage: Passage) -> None:
        rule = armed.rule
        armed.fired += 1
        if armed.fired >= rule.times:
            del self._rules[rule.rule_id]
            self.armed = bool(self._rules)
        FIRED.labels(rule.point, rule.action).inc()
        said = {
            "rule_id": str(rule.rule_id),
            "point": rule.point,
            "action": rule.action,
            "type": passage.type,
            "direction": passage.direction,
            "workspace_id": passage.workspace_id,
        }
        log.warning("fault_fired", **said)
        sys.stdout.flush()
        if self._log_file:
            at = self._clock.now().isoformat()
            _append(self._log_file, {**said, "at": at, "service": self._service})
        if rule.action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)

    def _drop_expired(self) -> None:
        now = self._clock.monotonic()
        for armed in [each for each in self._rules.values() if each.until <= now]:
            del self._rules[armed.rule.rule_id]
        self.armed = bool(self._rules)


FAULTS = Faults()
"""This process's rules: one for all its parts, as a kill is."""


def _append(file: str, line: dict[str, str]) -> None:
    """One write, unbuffered: it is with the kernel before the process ends."""
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, orjson.dumps(line) + b"\n")
    finally:
        os.close(handle)
