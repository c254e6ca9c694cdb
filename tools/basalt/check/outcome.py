"""Invariants and what comes of looking at them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tools.basalt.check.evidence import Evidence
from tools.basalt.check.settings import Limits

SUSPICIONS_MAX = 10_000
"""Of one invariant; a platform that is that broken is broken enough."""


@dataclass(frozen=True)
class Finding:
    """Something that should not be. `key` names exactly what was seen, with the versions that were
    seen, so that two looks at work that goes on do not give the same key."""

    key: str
    text: str


@dataclass
class Outcome:
    """What one look saw. `looked`: what was looked at, counted. `notes`: no fault, but telling."""

    looked: dict[str, int]
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def find(self, key: str, text: str) -> None:
        """A fault."""
        if len(self.findings) < SUSPICIONS_MAX:
            self.findings.append(Finding(key, text))


Check = Callable[[Evidence, Limits], Outcome]


@dataclass(frozen=True)
class Invariant:
    """`name` is stable: scripts and tests rely on it. `needs`: services and stores it reads."""

    name: str
    needs: frozenset[str]
    check: Check
    at_rest_only: bool = False

    @property
    def meaning(self) -> str:
        """What it says, and how it is decided."""
        return " ".join((self.check.__doc__ or "").split())


REGISTRY: dict[str, Invariant] = {}
"""All of them by name, in the order of the report."""

EVERY_SERVICE = ("identity", "studio", "billing", "delivery", "activity", "orchestrator")


def invariant(name: str, *needs: str, at_rest_only: bool = False) -> Callable[[Check], Check]:
    """Registers a check under its name."""

    def register(check: Check) -> Check:
        assert name not in REGISTRY, f"two invariants are called {name}"
        assert check.__doc__, f"{name} does not say what it means"
        REGISTRY[name] = Invariant(name, frozenset(needs), check, at_rest_only)
        return check

    return register
