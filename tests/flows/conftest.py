"""One platform for all flows, on servers of its own: other tests' messages are not its business."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.flows.platform import Platform
from tests.flows.traveller import Traveller
from tests.servers import Servers


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """Two replicas of every service, ready."""
    servers = Servers()
    running = Platform(servers)
    try:
        running.start()
        yield running
        running.stop()
    finally:
        for name, replica in list(running.processes):
            running.kill9(name, replica)
        servers.close()


@pytest.fixture
async def traveller(platform: Platform) -> AsyncIterator[Traveller]:
    """A new user with a workspace of their own and an imported app."""
    platform.await_ready()
    one = Traveller(platform.gateway)
    await one.settle()
    yield one
    await one.close()
