"""A running platform: the one that is given, or one of its own on its own ports and folders."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.flows.platform import Platform
from tests.servers import Servers


@contextmanager
def running(gateway: str = "") -> Iterator[str]:
    """The URL of its gateway. What was started is stopped by pid, on SIGTERM too."""
    if gateway:
        yield gateway
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    servers = Servers()
    platform = Platform(servers, replicas=1)
    try:
        platform.start()
        yield platform.gateway
        platform.stop()
    finally:
        for name, replica in list(platform.processes):
            platform.kill9(name, replica)
        servers.close()
