"""A run: what is missing is imported in order; then, if wanted, every export is compared."""

import asyncio
from dataclasses import dataclass

from chassis.clock import SystemClock
from tools.history.carry import Carrier, Refused
from tools.history.commits import Commit
from tools.history.compare import difference, export_of
from tools.history.journal import Journal
from tools.history.repository import Load, NoTree, Repository
from tools.journey.client import Json, demand

CLOCK = SystemClock()


@dataclass(frozen=True)
class Landed:
    """A commit and the revision that it is."""

    commit: Commit
    revision: str  # a global id


async def bring(
    repository: Repository, carrier: Carrier, journal: Journal, *, over_edits: bool = False
) -> None:
    """Import the commits that are no revisions yet. Raises Failed or Unreadable."""
    commits = await asyncio.to_thread(repository.commits)
    journal.commits = len(commits)
    await carrier.settle()
    if not carrier.app_id:
        await carrier.find_app({commit.name for commit in commits})
    revisions = await carrier.revisions()
    there = {revision["commit"] for revision in revisions if revision["commit"]}
    missing = [(at, one) for at, one in enumerate(commits, 1) if one.name not in there]
    journal.there = len(commits) - len(missing)
    edited = bool(missing and revisions) and not revisions[0]["commit"]
    demand(
        not edited or over_edits,
        "the app's head is no commit: somebody edited it. With --over-edits the missing commits"
        " become the head all the same, and the edits stay in the history",
    )
    last = _last(commits, revisions)
    for at, commit in missing:
        began = CLOCK.monotonic()
        try:
            load = await asyncio.to_thread(_load, repository, last, commit)
            result = await carrier.carry(commit, load, last.revision if last else "")
        except (NoTree, Refused) as why:
            journal.refused(at, commit, str(why))
            continue
        last = Landed(commit, result["revision_id"])
        journal.carried(at, commit, result, CLOCK.monotonic() - began)
    journal.sent_bytes = carrier.sent_bytes


def _last(commits: list[Commit], revisions: list[Json]) -> Landed | None:
    """The commit that became a revision last: the next one is sent as a change of it."""
    by_name = {commit.name: commit for commit in commits}
    landed = (one for one in revisions if one["commit"] in by_name)
    return next((Landed(by_name[one["commit"]], one["id"]) for one in landed), None)


def _load(repository: Repository, last: Landed | None, commit: Commit) -> Load:
    if last is None:
        return Load(repository.files(commit))
    return repository.change(last.commit, commit)


async def check(repository: Repository, carrier: Carrier, journal: Journal) -> None:
    """Compare the export of every commit's revision with the commit. Raises Failed."""
    by_commit = {revision["commit"]: revision["id"] for revision in await carrier.revisions()}
    for commit in await asyncio.to_thread(repository.commits):
        revision = by_commit.get(commit.name)
        if revision is not None:
            archive = await export_of(
                carrier.client, carrier.workspace_id, carrier.app_id, revision
            )
            files = await asyncio.to_thread(repository.files, commit)
            journal.compared(commit, await asyncio.to_thread(difference, archive, files))
