"""`python -m tests.chaos`: the kill sweep. Exit code 0 only if every case ran and all is sound.

Say `--sample 40` for a subset, `--seed S` to repeat one, `--resume --seed S` to go on with one that
was interrupted, `--only TEXT` for the cases with it in their names, `--list` to see them.
"""

import argparse
import asyncio
import secrets
import sys
from pathlib import Path

from tests.chaos.book import Book, every_case, sample
from tests.chaos.nemesis import TRIALS
from tests.chaos.platform import ChaosPlatform
from tests.chaos.report import markdown, summary
from tests.chaos.sweep import Sweep, say


def main() -> int:
    """Parse, choose the cases, sweep, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="so many cases, chosen by the seed")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--only", default="", help="cases with this in their names")
    parser.add_argument("--resume", action="store_true", help="leave out what was ok before")
    parser.add_argument("--list", action="store_true", help="name the cases, run none")
    parser.add_argument("--report", type=Path, help="write the matrix there (Markdown)")
    given = parser.parse_args()
    cases = [case for case in every_case(given.seed) if given.only in case.name]
    trials = [name for name in TRIALS if given.only in name]
    if given.sample:
        cases, trials = sample(cases, given.sample, given.seed), []
    if given.list:
        print("\n".join([*(case.name for case in cases), *trials]))
        return 0
    again = f" --sample {given.sample}" if given.sample else ""
    say(
        f"{len(cases) + len(trials)} cases; again: python -m tests.chaos --seed {given.seed}{again}"
    )
    book = Book.open(given.seed, cases, trials, resume=given.resume)
    asyncio.run(_sweep(book))
    report = markdown(book)
    print(report)
    if given.report:
        given.report.write_text(report)
    say(summary(book))
    return 0 if book.passed else 1


async def _sweep(book: Book) -> None:
    platform = ChaosPlatform()
    try:
        await platform.start()
        say("the platform is ready")
        await Sweep(platform, book).run()
    finally:
        await platform.stop()


if __name__ == "__main__":
    sys.exit(main())
