"""Workers: the loop that finds work, does it under a lease, and brings it to its end."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

import structlog

from chassis.clock import Clock, born_at, derived_id, jittered
from chassis.context import Context, trusted_context
from chassis.doors.http import Execute
from chassis.errors import Conflict, Rejected, Unavailable
from chassis.observability.logs import bound
from chassis.observability.tracing import consumer_span, trace_id
from chassis.resources import Resources
from chassis.settings import ServiceSettings
from chassis.stores.chunks import ChunkStore
from chassis.work.job import Job, LeaseLost
from chassis.work.leases import WorkLeases
from chassis.work.rows import Bell
from contracts.base import REGISTRY, Command, Message

log = structlog.get_logger()

Worker = Callable[..., Awaitable[Command[Any]]]  # its parameters are read at start
_LOOKS_S = (0.005, 0.02, 0.1, 0.5)  # after the bell: the commit is under way
_PAUSE_S = 1.0
_PAUSE_MAX_S = 60.0


@dataclass(frozen=True, slots=True)
class BoundWorker:
    """A worker and the sources of its parameters after the job."""

    worker: Worker
    sources: tuple[object, ...]

    async def __call__(self, job: Job, context: Context, resources: Resources) -> Command[Message]:
        arguments = [
            context
            if source is Context
            else source(resources)
            if isinstance(source, type) and issubclass(source, ChunkStore)
            else source
            for source in self.sources
        ]
        return await self.worker(job, *arguments)


def worker_sources(
    worker: Worker, provides: Mapping[Any, Any], given: Mapping[type, object]
) -> BoundWorker:
    """Bind it. A store is built for each job, to read and to write bodies: it commits nothing.
    Raises TypeError naming worker and parameter."""
    hints = get_type_hints(worker)
    names = list(inspect.signature(worker).parameters)
    if not names or hints.get(names[0]) is not Job:
        raise TypeError(f"{worker.__name__}: the first parameter must be a Job")
    sources: list[object] = []
    for name in names[1:]:
        wanted: Any = hints.get(name)
        provided = provides.get(wanted, wanted)
        if wanted is Context:
            sources.append(Context)
        elif isinstance(provided, type) and issubclass(provided, ChunkStore):
            sources.append(provided)
        elif wanted in given or provided in given:
            sources.append(given[wanted] if wanted in given else given[provided])
        else:
            raise TypeError(f"{worker.__name__}: nothing provides {name}: {wanted}")
    return BoundWorker(worker, tuple(sources))


class WorkLoop:
    """One of `work_parallel_max` loops of a process; each does one job at a time."""

    def __init__(
        self,
        workers: Mapping[str, BoundWorker],
        leases: WorkLeases,
        execute: Execute,
        resources: Resources,
        bell: Bell,
    ) -> None:
        self._workers, self._leases, self._execute = workers, leases, execute
        self._resources, self._bell = resources, bell
        self._settings: ServiceSettings = resources.settings

    @property
    def _clock(self) -> Clock:
        return self._resources.clock

    async def run(self) -> None:
        """Until cancelled; what it was doing is then given back."""
        kinds = list(self._workers)
        looks: Sequence[float] = ()
        heard = self._bell.rung
        while True:
            claimed = await self._claim(kinds)
            if claimed is not None:
                await self._under_lease(*claimed)
                continue
            if self._bell.rung != heard:
                heard, looks = self._bell.rung, _LOOKS_S
            if looks:
                pause, looks = looks[0], looks[1:]
                await self._clock.sleep(pause)
                continue
            await self._bell.listen(heard, self._settings.work_poll_ms / 1000)

    async def _claim(self, kinds: list[str]) -> tuple[Job, str, str] | None:
        try:
            return await self._leases.claim(kinds)
        except (Unavailable, Conflict) as error:
            log.warning("work_not_claimed", error=str(error))
            await self._clock.sleep(_PAUSE_S)
            return None

    async def _under_lease(self, job: Job, command_type: str, command: str) -> None:
        """Do it, and keep the lease meanwhile; when that is lost, stop."""
        with (
            bound(workspace_id=job.workspace_id, operation_id=job.operation_id),
            consumer_span(f"work {job.kind}", job.traceparent),
        ):
            work = asyncio.create_task(self._attempt(job, command_type, command))
            keeper = asyncio.create_task(self._keep(job))
            try:
                both = {work, keeper}
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)  # tidy: its lease
                if not work.done():
                    log.warning("work_lost", kind=job.kind)
            finally:
                for task in (work, keeper):
                    task.cancel()
                for ended in await asyncio.gather(work, keeper, return_exceptions=True):
                    if isinstance(ended, Exception):  # a cancellation is none
                        log.error("work_interrupted", kind=job.kind, error=type(ended).__name__)

    async def _keep(self, job: Job) -> None:
        """Ends when the lease is lost, or could not be prolonged in time."""
        lease_s = self._settings.work_lease_ms / 1000
        until = self._clock.monotonic() + lease_s
        while self._clock.monotonic() < until:
            await self._clock.sleep(lease_s / 4)
            try:
                async with asyncio.timeout(lease_s / 4):
                    await self._leases.prolong(job)
                until = self._clock.monotonic() + lease_s
            except LeaseLost:
                return
            except (Unavailable, Conflict, TimeoutError) as error:
                log.warning("lease_not_prolonged", error=str(error))

    async def _attempt(self, job: Job, command_type: str, command: str) -> None:
        """One attempt and its fate."""
        try:
            answer = await self._finish(job, await self._do(job, command_type, command))
            await self._leases.complete(job, answer)
            log.info("work_done", kind=job.kind, attempt=job.attempt)
        except LeaseLost:
            log.warning("work_lost", kind=job.kind)
        except Rejected as refusal:
            await self._leases.refuse(job, refusal.rejection)
            log.info("work_refused", kind=job.kind, reason=refusal.rejection.address.type)
        except (Unavailable, Conflict) as error:
            log.warning("work_waits", kind=job.kind, error=str(error))
            await self._leases.give_back(job, _PAUSE_S, burned=False)
        except asyncio.CancelledError:
            await self._give_back_quietly(job)
            raise
        except Exception:
            log.exception("work_failed", kind=job.kind, attempt=job.attempt)
            if job.attempt >= self._settings.work_attempts_max:
                await self._leases.need_attention(job, trace_id())
            else:
                pause = min(_PAUSE_MAX_S, _PAUSE_S * 2**job.attempt)
                await self._leases.give_back(job, pause / 2 + jittered(pause / 2), burned=True)

    async def _do(self, job: Job, command_type: str, command: str) -> Command[Message]:
        """The worker's final command; kept in the row, so that a later attempt has the same."""
        if command:
            contract = REGISTRY[command_type]
            kept: Any = contract.model_validate_json(command)  # a Command
            return kept  # type: ignore[no-any-return]
        if job.attempt > self._settings.work_attempts_max:
            raise RuntimeError(f"attempt {job.attempt}: it takes its process down each time")
        made = await self._workers[job.kind](job, self._context(job), self._resources)
        await self._leases.promise(job, made)
        return made

    async def _finish(self, job: Job, command: Command[Message]) -> Message:
        command_id = derived_id(born_at(job.operation_id), job.operation_id, "final")
        return await self._execute(
            command, self._context(job), command_id, traceparent=job.traceparent
        )

    async def _give_back_quietly(self, job: Job) -> None:
        """This process stops: another one need not wait for the lease to run out."""
        try:
            async with asyncio.timeout(1.0):
                await self._leases.give_back(job, 0, burned=False)
        except (LeaseLost, Unavailable, Conflict, TimeoutError):
            log.warning("work_left_to_its_lease", kind=job.kind)

    def _context(self, job: Job) -> Context:
        return trusted_context(actor_id=job.actor_id, workspace_id=job.workspace_id)
