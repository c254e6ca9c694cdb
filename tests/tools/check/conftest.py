"""Servers of the checker's own, for it looks at all that is there."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Servers
from tests.tools.check.stores import Stores


@pytest.fixture(scope="session")
def own_servers() -> Iterator[Servers]:
    servers = Servers()
    yield servers
    servers.close()


@pytest.fixture(scope="session")
def stores(own_servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Stores:
    """Prepared once; each test writes its own world."""
    made = Stores(own_servers, Path(tmp_path_factory.mktemp("blobs")))
    asyncio.run(made.prepare())
    return made
