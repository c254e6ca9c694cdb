"""A saga is data: a list of steps that is checked when it is imported.

Before the pivot a failure undoes everything; after it the saga only goes forward. The fields of
the starting command, the ids that the saga mints and the fields of replies are the saga's fields;
each command takes its own by name.
"""

import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import cache, cached_property
from importlib import import_module

from chassis.saga.policy import UNTIL_DONE, RetryPolicy
from contracts.base import Message, answer_of


class Kind(StrEnum):
    """COMPENSATABLE can be undone, the PIVOT decides, RETRIABLE must succeed in the end."""

    COMPENSATABLE = "compensatable"
    PIVOT = "pivot"
    RETRIABLE = "retriable"


class DefinitionRefused(TypeError):
    """A saga that could not always finish or be undone. One line: saga, step, rule."""


@cache
def fields_of(contract: type[Message]) -> tuple[str, ...]:
    """The names of a contract's fields."""
    return tuple(contract.model_fields)


@dataclass(frozen=True)
class Step:
    """One command, what undoes it, and how patiently its answer is awaited.

    beside: it is sent together with the step before it.
    """

    kind: Kind
    command: type[Message]
    compensation: type[Message] | None
    retry: RetryPolicy
    beside: bool = False

    @property
    def name(self) -> str:
        return self.command.__name__

    @cached_property
    def answer_type(self) -> str:
        """The wire type of the command's success."""
        return answer_of(self.command).address.type

    @cached_property
    def undone_type(self) -> str:
        """The wire type of the compensation's success."""
        assert self.compensation is not None, "only compensatable steps are undone"
        return answer_of(self.compensation).address.type


def compensatable(
    command: type[Message], *, compensation: type[Message], retry: RetryPolicy
) -> Step:
    """A step that `compensation` undoes, also when it is not known whether it happened."""
    return Step(Kind.COMPENSATABLE, command, compensation, retry)


def pivot(command: type[Message], *, retry: RetryPolicy) -> Step:
    """The point of no return: its answer decides whether the saga completes or is undone."""
    return Step(Kind.PIVOT, command, None, retry)


def retriable(command: type[Message], *, retry: RetryPolicy = UNTIL_DONE) -> Step:
    """A step after the pivot: it is sent until it succeeds."""
    return Step(Kind.RETRIABLE, command, None, retry)


def parallel(*steps: Step) -> tuple[Step, ...]:
    """Steps that are sent together and undone together: `steps=(first, *parallel(b, c), last)`.

    The next step waits for all of them; when one is refused, those that may have happened are
    undone, the refused one is not.
    """
    return (*steps[:1], *(replace(step, beside=True) for step in steps[1:]))


@dataclass(frozen=True)
class Approval:
    """Somebody must agree before anything is done: `when` is a field of the start, true if so.

    It comes before lock and deadline and has a deadline of its own (`within`); without an answer
    until then the saga ends without having done anything.
    """

    when: str
    within: timedelta


@dataclass(frozen=True)
class Saga:
    """A process over several services. Raises DefinitionRefused when it is wrong.

    starts_on: the command that starts it (its answer is an Operation). mints: names of the ids that
    the saga makes up, so that a compensation can be sent when a reply was lost. lock: fields whose
    values no two running sagas share, taken at the start in sorted order, first come first served.
    deadline: from the start (or its approval) to the pivot. progress: announce every step, not only
    start and end.
    """

    name: str
    version: int
    starts_on: type[Message]
    steps: tuple[Step, ...]
    deadline: timedelta
    mints: tuple[str, ...] = ()
    lock: str | tuple[str, ...] = ()
    progress: bool = False
    approval: Approval | None = None

    def __post_init__(self) -> None:
        from chassis.saga.checks import check  # checks.py reads the shapes that are defined here

        check(self)

    @cached_property
    def stages(self) -> tuple[range, ...]:
        """For the index of each step: the indices of all that are sent together with it."""
        starts = [i for i, step in enumerate(self.steps) if not step.beside]
        ends = [*starts[1:], len(self.steps)]
        return tuple(
            range(start, end)
            for start, end in zip(starts, ends, strict=True)
            for _ in range(start, end)
        )

    def needs_approval(self, fields: Mapping[str, object]) -> bool:
        """Whether a start with these fields waits for somebody to agree."""
        return self.approval is not None and bool(fields.get(self.approval.when))

    @cached_property
    def point_of_no_return(self) -> int:
        """Index of the first step that cannot be undone: once sent, only its reply decides."""
        kinds = [step.kind for step in self.steps]
        return next((i for i, k in enumerate(kinds) if k != Kind.COMPENSATABLE), len(kinds))

    @cached_property
    def origin_fields(self) -> frozenset[str]:
        """Fields that no reply may change: what the caller gave and what the saga minted."""
        return frozenset(self.starts_on.model_fields) | frozenset(self.mints)

    @cached_property
    def lock_fields(self) -> tuple[str, ...]:
        """The fields that lock, as a tuple in sorted order."""
        return (self.lock,) if isinstance(self.lock, str) else tuple(sorted(self.lock))


class Definitions:
    """Every saga that an orchestrator runs, all released versions of each."""

    def __init__(self, sagas: tuple[Saga, ...]) -> None:
        for saga in sagas:
            _import_refusals(saga)
        self._pinned: dict[tuple[str, int], Saga] = {}
        self._latest: dict[type[Message], Saga] = {}
        for saga in sagas:
            if self._pinned.setdefault((saga.name, saga.version), saga) is not saga:
                raise DefinitionRefused(f"{saga.name} v{saga.version}: there are two of it")
            known = self._latest.setdefault(saga.starts_on, saga)
            if known.name != saga.name:
                raise DefinitionRefused(
                    f"{saga.name} v{saga.version}: {saga.starts_on.__name__} starts {known.name}"
                )
            if saga.version > known.version:
                self._latest[saga.starts_on] = saga

    def get(self, name: str, version: int) -> Saga:
        """The definition that an instance is pinned to. KeyError when it is not deployed here."""
        return self._pinned[name, version]

    def started_by(self, contract: type[Message]) -> Saga:
        """The newest version of the saga that this command starts. KeyError when none does."""
        return self._latest[contract]

    def starts(self) -> tuple[type[Message], ...]:
        """Every command that starts a saga."""
        return tuple(self._latest)

    def __contains__(self, pin: tuple[str, int]) -> bool:
        return pin in self._pinned

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Name and version of each."""
        return iter(self._pinned)


def _import_refusals(saga: Saga) -> None:
    """Import all contracts of the participants. A refusal that nobody has imported would look like
    an answer of an unknown kind, which leaves its step in doubt."""
    for step in saga.steps:
        place = step.command.__module__.split(".")
        owner = import_module(".".join(place[: place.index("contracts") + 2]))
        for module in pkgutil.walk_packages(owner.__path__, owner.__name__ + "."):
            import_module(module.name)
