"""Quick: what every message passes is done with less ado while worlds run.

Nothing of it changes what a world does. Metrics are nobody's there, so nobody counts. The texts of
ids are remembered. `asyncio.timeout` keeps its promises with one object, and asks the loop, not the
kernel, which loop is running.
"""

import asyncio
from asyncio import mixins
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from contextvars import copy_context
from types import TracebackType
from typing import Any
from unittest.mock import patch
from uuid import UUID

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from chassis.testing.simulation.handles import Handle
from chassis.testing.simulation.loop import SimLoop

TEXTS_MAX = 100_000
"""Of ids; then it forgets them all."""


@contextmanager
def quickly() -> Iterator[None]:
    """Inside, as above; outside, as everybody knows it. May be nested."""
    if vars(asyncio)["timeout"] is SimTimeout:
        yield
        return
    changes: tuple[tuple[Any, str, Any], ...] = (  # of any class or module
        (Counter, "inc", _nothing),
        (Gauge, "inc", _nothing),
        (Gauge, "set", _nothing),
        (Histogram, "observe", _nothing),
        (Histogram, "time", lambda _: _NO_TIMER),
        (MetricWrapperBase, "labels", _known_or(MetricWrapperBase.labels)),
        (UUID, "__str__", _remembering(UUID.__str__)),
        (asyncio, "timeout", SimTimeout),
        (mixins._LoopBoundMixin, "_get_loop", _loop_of),
    )
    with ExitStack() as stack:
        for owner, name, new in changes:
            stack.enter_context(patch.object(owner, name, new))
        yield


class SimTimeout:
    """As asyncio.timeout in a SimLoop, for whoever uses it as `async with`, and no further."""

    __slots__ = ("_cancelling", "_delay", "_expired", "_task", "_timer")

    def __init__(self, delay: float | None) -> None:
        self._delay = delay
        self._expired = False

    async def __aenter__(self) -> None:
        loop = SimLoop.running
        assert loop is not None, "worlds run in it"
        task = asyncio.current_task(loop)
        assert task is not None, "only tasks wait"
        self._task, self._cancelling = task, task.cancelling()
        self._timer = Handle(self._expire, (), copy_context())
        if self._delay is None:
            return
        loop.add_timer(loop.time() + max(self._delay, 0.0), self._timer)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        stack: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if not self._expired:
            return
        if self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _expire(self) -> None:
        self._expired = True
        self._task.cancel()


_NO_TIMER = nullcontext()


def _nothing(*_: object, **__: object) -> None:
    """Nobody counts."""


def _known_or(labels: Callable[..., Any]) -> Callable[..., Any]:  # any metric
    """Its children, without the check of each label each time."""

    def known(metric: Any, *values: str, **named: str) -> Any:
        child = None if named else metric._metrics.get(values)
        return labels(metric, *values, **named) if child is None else child

    return known


def _remembering(text_of: Callable[[UUID], str]) -> Callable[[UUID], str]:
    """Each id is written many times: in columns, headers, keys."""
    texts: dict[int, str] = {}

    def text(identity: UUID) -> str:
        found = texts.get(identity.int)
        if found is None:
            if len(texts) >= TEXTS_MAX:
                texts.clear()
            found = texts[identity.int] = text_of(identity)
        return found

    return text


def _loop_of(bound: Any) -> SimLoop | None:  # an event, a lock
    return SimLoop.running
