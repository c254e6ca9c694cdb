"""A sweep: batch after batch on one platform, a verdict now and then, progress all the way."""

from time import monotonic

from tests.chaos.batch import Result, batches, run_batch
from tests.chaos.book import Book
from tests.chaos.drivers import Sites
from tests.chaos.nemesis import TRIALS, trial
from tests.chaos.platform import ChaosPlatform
from tests.chaos.verdict import Judge, judged

VERDICT_EVERY = 25
"""Cases between two verdicts: each reads everything there is."""


class Sweep:
    """`run` does what is left in the book. A violation ends it: later ones would be its echo."""

    def __init__(self, platform: ChaosPlatform, book: Book, judge: Judge = judged) -> None:
        self._platform = platform
        self._book = book
        self._judge = judge
        self._began = monotonic()
        self._done = 0
        self._total = len(book.left) + len(book.trials_left)
        self._unjudged: list[str] = []

    async def run(self) -> None:
        """Every case that is left, then the last verdict."""
        self._began = monotonic()
        sites = await Sites.make(self._platform.gateway)
        say(f"{len(sites.free)} workspaces are ready after {monotonic() - self._began:.0f} s")
        self._began = monotonic()
        try:
            await self._cases_and_trials(sites)
        except TimeoutError as error:
            self._book.violations.append(f"{error} (among {self._unjudged})")
        finally:
            await sites.close()

    async def _cases_and_trials(self, sites: Sites) -> None:
        for batch in batches(self._book.left):
            self._take(await run_batch(self._platform, sites, batch))
            if len(self._unjudged) >= VERDICT_EVERY and not await self.judge():
                return
        for name in self._book.trials_left:
            self._take([await trial(self._platform, sites, name, TRIALS[name])])
            if not await self.judge():
                return
        if self._unjudged:
            await self.judge()

    async def judge(self) -> bool:
        """Whether all is sound; what is not goes into the book with the cases that may have done
        it."""
        began = monotonic()
        await self._platform.await_ready()
        found = await self._judge(self._platform)
        self._book.violations += [f"{each} (among {self._unjudged})" for each in found]
        say(f"    verdict in {monotonic() - began:.1f} s: {'; '.join(found) or 'sound'}")
        self._unjudged = []
        return not found

    def _take(self, results: list[Result]) -> None:
        self._book.write_down(results)
        for result in results:
            self._tell(result)

    def _tell(self, result: Result) -> None:
        self._done += 1
        self._unjudged.append(result.name)
        elapsed = monotonic() - self._began
        eta = elapsed / self._done * (self._total - self._done)
        why = f"  {result.said}" if result.said else ""
        say(
            f"[{self._done:>3}/{self._total}] {result.fate:<9} {result.seconds:5.1f} s"
            f"  {result.name}{why}  ({elapsed / self._done:.1f} s a case, {eta / 60:.1f} min to go)"
        )


def say(line: str) -> None:
    """At once: a sweep is long."""
    print(line, flush=True)
