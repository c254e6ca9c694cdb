"""`make import DIR=...`: bring an app of git sync into the platform, with progress.

BASALT_TOKEN, or BASALT_EMAIL and BASALT_PASSWORD, say who imports; without them a new user and
workspace are made first, and shown.
"""

import argparse
import asyncio
import sys
from pathlib import Path

import httpx
from websockets.exceptions import WebSocketException

from chassis.clock import SystemClock
from tools.archive import zip_of
from tools.journey.client import Client, Failed, Json, default_gateway
from tools.somewhere import somewhere

CLOCK = SystemClock()
BAR_WIDTH = 30
PROGRESS = """subscription($id: ID!) { operation(id: $id) {
    state step done total finished result app { id name counts } error {
        __typename code message ... on ImportRefused { path rule detail } } } }"""


def main() -> int:
    """The exit code."""
    arguments = _arguments()
    try:
        asyncio.run(run(arguments))
    except Failed as failure:
        print(f"import: {failure}", file=sys.stderr)
        return 1
    except (httpx.HTTPError, OSError, WebSocketException, TimeoutError) as error:
        print(f"import: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


async def run(arguments: argparse.Namespace) -> None:
    """Zip, upload, watch. Failed when the platform refuses."""
    source = Path(arguments.source)
    began = CLOCK.monotonic()
    archive = await asyncio.to_thread(zip_of, source)
    zipped = CLOCK.monotonic()
    client = Client(arguments.gateway)
    try:
        workspace_id = await somewhere(client, arguments.workspace)
        began_upload = CLOCK.monotonic()
        params = (
            {"app": arguments.app} if arguments.app else {"name": arguments.name or source.stem}
        )
        path = f"/api/workspaces/{workspace_id}/apps/import"
        operation = await client.upload(path, archive, **params)
        uploaded = CLOCK.monotonic()
        last = await _watch(client, operation["id"])
    finally:
        await client.close()
    _tell(last)
    print(
        f"  zip {zipped - began:.1f} s, upload {uploaded - began_upload:.1f} s"
        f" ({len(archive) / 1_048_576:.1f} MiB), import {CLOCK.monotonic() - uploaded:.1f} s"
    )


async def _watch(client: Client, operation_id: str) -> Json:
    last: Json = {}
    async for data in client.watch(PROGRESS, id=operation_id):
        last = data["operation"]
        share = last["done"] / last["total"] if last["total"] else 0.0
        bar = "#" * round(share * BAR_WIDTH)
        counted = f"{last['done']}/{last['total']}" if last["total"] else ""
        line = f"  [{bar:<{BAR_WIDTH}}] {counted:>12} {last['step'] or last['state'].lower()}"
        print(f"\r{line:<78}" if sys.stdout.isatty() else line, end="", flush=True)
        if not sys.stdout.isatty():
            print()
    if sys.stdout.isatty():
        print()
    return last


def _tell(operation: Json) -> None:
    error = operation["error"]
    if error:
        parts = [error[name] for name in ("path", "rule", "detail") if error.get(name)]
        where = f" {': '.join(parts)}" if parts else ""
        raise Failed(f"{error['code']}: {error['message']}{where}")
    app, result = operation["app"], operation["result"]
    counts = ", ".join(f"{number} {kind}" for kind, number in sorted(app["counts"].items()))
    print(f"  app {app['name']} {app['id']}\n  {counts}")
    names = ("files", "entities_added", "entities_changed", "entities_removed")
    changes = ", ".join(
        f"{name.replace('_', ' ')} {result[name]}" for name in names if name in result
    )
    print(f"  {changes}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="import_app", description=__doc__)
    parser.add_argument("source", help="a folder or a zip")
    parser.add_argument("--gateway", default=default_gateway(), help="where the gateway is")
    parser.add_argument("--workspace", default="", help="global id")
    parser.add_argument("--app", help="global id of an app that exists: a new revision of it")
    parser.add_argument("--name", default="", help="what a new app is called")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
