"""What is mutated: the decision core, the partition runner, the relay; and which tests judge."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Area:
    """Modules that are judged by the same tests. No test of an area needs a server."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]


def _of(package: str, names: str) -> tuple[str, ...]:
    return tuple(f"{package}.{name}" for name in names.split())


AREAS = (
    Area(
        "decision core",
        _of(
            "chassis.saga",
            "core turn orders policy state inputs definition checks ids",
        ),
        ("tests/chassis/saga", "tests/sagas"),
    ),
    Area(
        "partition runner",
        _of("chassis.messaging", "runner lanes"),
        ("tests/chassis/messaging",),
    ),
    Area(
        "relay",
        _of("chassis.messaging", "relay carrier order lease outbox nudge"),
        ("tests/chassis/messaging",),
    ),
)
KILLED_MIN = 0.95
"""Least share of each area's mutants that the tests must kill."""
