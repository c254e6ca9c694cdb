"""Apps that others made. BASALT_REAL_APPS: folders, separated by `:`, each a checkout of one."""

import os
import time
from pathlib import Path

import pytest

from services.studio.appsmith import bundle, pack_app, parse, read_folder, read_zip, zip_bytes

FOLDERS = [Path(x) for x in os.environ.get("BASALT_REAL_APPS", "").split(":") if x]
BUDGET_S = 2.0

pytestmark = pytest.mark.skipif(not FOLDERS, reason="BASALT_REAL_APPS names no folders")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
class TestRealApps:
    def test_come_back_byte_for_byte(self, folder: Path) -> None:
        tree = read_folder(folder)

        app = parse(tree)

        assert app.tree() == tree
        assert read_zip(zip_bytes(tree)) == tree
        assert sum(app.counts.values()) == len({e.entity_id for e in app})

    def test_are_read_and_packed_in_time(self, folder: Path) -> None:
        started = time.perf_counter()
        packed = pack_app(parse(read_folder(folder)))
        took = time.perf_counter() - started

        assert took < BUDGET_S
        assert packed.manifest.files > 0

    def test_become_bundles(self, folder: Path) -> None:
        app = parse(read_folder(folder))

        assert bundle(app) == bundle(app)
