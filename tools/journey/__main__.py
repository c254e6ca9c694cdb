"""`python -m tools.journey [--mirrors] [--gateway URL]`: 0 when every stage held."""

import argparse
import asyncio
import base64
import os
import sys
from pathlib import Path

import httpx
from aiokafka.errors import KafkaError
from websockets.exceptions import WebSocketException

from chassis.clock import SystemClock
from tools.archive import zip_of
from tools.journey.client import Client, Failed, default_gateway
from tools.journey.golden import golden
from tools.journey.listener import Listener
from tools.journey.mirrors import mirrors
from tools.journey.story import Story, stage


def main() -> int:
    """The exit code."""
    arguments = _arguments()
    clock = SystemClock()
    began = clock.monotonic()
    try:
        asyncio.run(run(arguments))
    except Failed as failure:
        print(f"the journey failed: {failure}", file=sys.stderr)
        return 1
    except (httpx.HTTPError, OSError, KafkaError, WebSocketException, TimeoutError) as error:
        print(f"the journey failed: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(f"  the journey took {clock.monotonic() - began:.1f} s")
    return 0


async def run(arguments: argparse.Namespace) -> None:
    """The golden journey, and its mirrors when they are wanted. Failed when a stage fails."""
    client = Client(arguments.gateway)
    story = Story(client, _archive(arguments.app))
    listener = Listener(arguments.kafka) if arguments.kafka else None
    try:
        if listener:
            await listener.open()
        await golden(story)
        if arguments.mirrors:
            await mirrors(story)
        if listener:
            with stage("another group read every event") as notes:
                workspace_id = _raw(story.workspace_id)
                notes.append(f"{await listener.read_until(workspace_id, story.seen)} events")
        else:
            print("  no KAFKA_BOOTSTRAP: the events were not read")
    finally:
        await client.close()
        if listener:
            await listener.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="journey", description=__doc__)
    parser.add_argument("--gateway", default=default_gateway(), help="where the gateway is")
    parser.add_argument("--mirrors", action="store_true", help="refused publishes as well")
    parser.add_argument("--app", help="a folder or zip to import instead of the sample")
    kafka = os.environ.get("KAFKA_BOOTSTRAP", "")
    parser.add_argument("--kafka", default=kafka, help="where events are read; '' skips it")
    return parser.parse_args()


def _archive(path: str | None) -> bytes:
    if path:
        return zip_of(Path(path))
    from tests.samples.shop import shop_zip

    return shop_zip()


def _raw(global_id: str) -> str:
    """The workspace's own id: events carry that, clients the global one."""
    padded = global_id + "=" * (-len(global_id) % 4)
    return base64.urlsafe_b64decode(padded).decode().partition(":")[2]


if __name__ == "__main__":
    sys.exit(main())
