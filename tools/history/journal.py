"""What a run says while it works, and in the end."""

from dataclasses import dataclass, field

from chassis.clock import SystemClock
from tools.history.commits import Commit
from tools.journey.client import Json

CLOCK = SystemClock()
NAME_CHARACTERS = 8
SUBJECT_CHARACTERS_MAX = 40


@dataclass
class Journal:
    """A line for every commit; the figures at the end."""

    shallow: bool = False
    commits: int = 0
    there: int = 0
    imported: int = 0
    skipped: list[str] = field(default_factory=list)
    sent_bytes: int = 0
    equal: int = 0
    differing: list[str] = field(default_factory=list)
    began: float = field(default_factory=CLOCK.monotonic)

    def carried(self, at: int, commit: Commit, result: Json, seconds: float) -> None:
        """A commit became a revision."""
        self.imported += 1
        names = ("entities_added", "entities_changed", "entities_removed")
        added, changed, removed = (result[name] for name in names)
        what = f"+{added} ~{changed} -{removed}"
        self._line(at, commit, f"{seconds:6.2f} s  {what:<16} {_subject(commit)}")

    def refused(self, at: int, commit: Commit, why: str) -> None:
        """A commit holds no app that can be imported."""
        self.skipped.append(f"{commit.name[:NAME_CHARACTERS]} {why}")
        self._line(at, commit, f"skipped: {why}")

    def compared(self, commit: Commit, difference: str) -> None:
        """The export of a commit's revision was looked at."""
        if difference:
            self.differing.append(f"{commit.name[:NAME_CHARACTERS]} {difference}")
            print(f"  {commit.name[:NAME_CHARACTERS]}  differs: {difference}", flush=True)
        else:
            self.equal += 1

    def sum_up(self, app_id: str) -> None:
        """The figures."""
        if self.shallow:
            print("  the clone is shallow: what came before its first commit is not in it")
        print(
            f"  {self.commits} commits: {self.imported} imported, {self.there} there already,"
            f" {len(self.skipped)} skipped; {self.sent_bytes / 1024:.0f} KiB sent,"
            f" {CLOCK.monotonic() - self.began:.1f} s"
        )
        if self.equal or self.differing:
            print(f"  exports: {self.equal} equal to their commits, {len(self.differing)} not")
        print(f"  app {app_id}" if app_id else "  no commit holds an app")

    def _line(self, at: int, commit: Commit, what: str) -> None:
        width = len(str(self.commits))
        when = commit.authored_at.date().isoformat()
        name = commit.name[:NAME_CHARACTERS]
        print(f"  {at:>{width}}/{self.commits} {name} {when} {what}", flush=True)


def _subject(commit: Commit) -> str:
    return f"{commit.author_name}: {commit.subject}"[:SUBJECT_CHARACTERS_MAX]
