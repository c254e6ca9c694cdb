"""Servers of the checker's own, for it looks at all that is there."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Servers
from tests.tools.check.stores import Stores


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """Prepared once; each test writes its own world."""
    servers = Servers()
    made = Stores(servers, Path(tmp_path_factory.mktemp("blobs")))
    try:
        asyncio.run(made.prepare())
        yield made
    finally:
        servers.close()
