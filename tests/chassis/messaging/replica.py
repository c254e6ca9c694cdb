"""One replica of the small service as a process of its own, to be killed by tests.

python -m tests.chassis.messaging.replica POSTGRES_URL KAFKA_BOOTSTRAP GROUP [mended]
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
from chassis.parking.loop import LoopLimits, ParkedKeys
from chassis.stores.postgres import Database
from tests.chassis.messaging.quota import Weather, a_chunk


async def main(postgres_url: str, bootstrap: str, group: str, mood: str = "") -> None:
    """Run until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    clock, database = SystemClock(), await Database.open(postgres_url)
    relay = Relay(database, clock, lambda w: Producer(bootstrap, w, client_id=group))
    await relay.start()
    topics = [f"cmd.{group}.v1"]
    weather = Weather(mended=mood == "mended")
    chunk = a_chunk(database, relay, relay, group=group, weather=weather)
    subscription = Subscription(
        bootstrap=bootstrap, group=group, topics=topics, handler=chunk, clock=clock
    )
    await subscription.start()
    limits = LoopLimits(pause_max_s=2.0)
    keys = ParkedKeys(chunk.lot, topics, chunk.replay, database, clock, limits)
    loop = asyncio.create_task(keys.run())
    while relay.not_ready() or subscription.not_ready():
        await clock.sleep(0.01)
    print("ready", flush=True)
    await stop.wait()
    await subscription.stop()
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    await relay.stop()
    await database.close()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
