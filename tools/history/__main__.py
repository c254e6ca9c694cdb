"""`make import-history REPO=...`: bring the whole history of a git-synced app into the platform.

It can be stopped and run again: commits that are revisions already are left as they are. Exit
codes: 0 done, 1 an export differs or nothing could be imported, 2 bad usage.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

import httpx
from websockets.exceptions import WebSocketException

from tools.history.carry import Carrier
from tools.history.journal import Journal
from tools.history.repository import Repository, Unreadable
from tools.history.run import bring, check
from tools.journey.client import Client, Failed, default_gateway
from tools.somewhere import somewhere


def main(words: list[str] | None = None) -> int:
    """The exit code."""
    try:
        arguments = _arguments(words)
        repository = Repository(Path(arguments.repository), arguments.ref)
        try:
            return asyncio.run(run(arguments, repository))
        finally:
            repository.close()
    except (Failed, Unreadable) as failure:
        print(f"import-history: {failure}", file=sys.stderr)
    except (httpx.HTTPError, OSError, WebSocketException, TimeoutError) as error:
        print(f"import-history: {type(error).__name__}: {error}", file=sys.stderr)
    return 1


async def run(arguments: argparse.Namespace, repository: Repository) -> int:
    """Import what is missing; with --check compare every export. Raises Failed or Unreadable."""
    client = Client(arguments.gateway)
    journal = Journal(shallow=repository.shallow)
    try:
        workspace_id = await somewhere(client, arguments.workspace)
        carrier = Carrier(client, workspace_id, arguments.app, arguments.name or repository.name)
        await bring(repository, carrier, journal, over_edits=arguments.over_edits)
        if arguments.check:
            await check(repository, carrier, journal)
        journal.sum_up(carrier.app_id)
    finally:
        await client.close()
    return 1 if journal.differing or not carrier.app_id else 0


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="import-history", description=__doc__)
    parser.add_argument("repository", help="a clone, bare or not")
    parser.add_argument("--ref", default="HEAD", help="the branch or commit to import up to")
    parser.add_argument("--name", default="", help="what the app is called; else as the folder")
    parser.add_argument("--app", default="", help="global id of the app to go on with")
    parser.add_argument("--check", action="store_true", help="compare every export with its commit")
    parser.add_argument(
        "--over-edits", action="store_true", help="go on although somebody edited the app since"
    )
    parser.add_argument(
        "--workspace", default=os.environ.get("BASALT_WORKSPACE", ""), help="global id"
    )
    parser.add_argument("--gateway", default=default_gateway(), help="where the gateway is")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
