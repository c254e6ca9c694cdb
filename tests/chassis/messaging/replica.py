"""One replica of the small service as a process of its own, to be killed by tests.

python -m tests.chassis.messaging.replica POSTGRES_URL KAFKA_BOOTSTRAP GROUP
Prints "ready" when it consumes; ends with code 0 on SIGTERM after draining.
"""

import asyncio
import signal
import sys

import uvloop

from chassis.clock import SystemClock
from chassis.messaging.producer import Producer
from chassis.messaging.relay import Relay
from chassis.messaging.subscription import Subscription
from chassis.stores.postgres import Database
from tests.chassis.messaging.quota import a_chunk


async def main(postgres_url: str, bootstrap: str, group: str) -> None:
    """Run until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    clock, database = SystemClock(), await Database.open(postgres_url)
    relay = Relay(database, clock, lambda w: Producer(bootstrap, w, client_id=group))
    await relay.start()
    subscription = Subscription(
        bootstrap=bootstrap,
        group=group,
        topics=[f"cmd.{group}.v1"],
        handler=a_chunk(database, relay, relay, group=group),
        clock=clock,
    )
    await subscription.start()
    while relay.not_ready() or subscription.not_ready():
        await clock.sleep(0.01)
    print("ready", flush=True)
    await stop.wait()
    await subscription.stop()
    await relay.stop()
    await database.close()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
