"""The command as an operator, a script or Chaos Toolkit runs it: exit codes, text and JSON."""

import json
import os
import subprocess
import sys

from infra.local.places import ROOT
from tests.tools.check.case import A, sql
from tests.tools.check.stores import Stores
from tests.tools.check.world import sound_world
from tools.basalt.check.invariants import INVARIANTS

LOCK = f"INSERT INTO entity_lock (key, queue) VALUES ('app_id:{A.app}', ARRAY['{A.saga}'::uuid])"


def check(stores: Stores, *arguments: str, **places: str) -> "subprocess.CompletedProcess[str]":
    """`./basalt check ...` with these stores."""
    return subprocess.run(
        [sys.executable, "-m", "tools.basalt", "check", *arguments],
        cwd=ROOT,
        env={**os.environ, **stores.environment, **places},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_sound_is_exit_code_0_and_a_line_for_each_invariant(stores: Stores) -> None:
    await stores.write(sound_world())

    done = check(stores)

    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("ok ")]
    assert [line.split()[1] for line in lines] == [
        name for name, each in INVARIANTS.items() if not each.at_rest_only
    ]


async def test_a_violation_is_exit_code_1_and_named(stores: Stores) -> None:
    await stores.write(sound_world())
    await sql("orchestrator", LOCK)(stores)

    done = check(stores, "--json", "--grace", "0.1")

    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["sound"] is False
    assert report["violated"] == ["saga_ended_with_residue"]
    (found,) = [each for each in report["invariants"] if each["verdict"] == "violated"]
    assert str(A.saga) in found["findings"][0]["text"]


async def test_only_what_is_named_is_looked_at(stores: Stores) -> None:
    await stores.write(sound_world())

    done = check(stores, "--json", "--only", "pointer", KAFKA_BOOTSTRAP="127.0.0.1:1")

    assert done.returncode == 0
    assert [each["name"] for each in json.loads(done.stdout)["invariants"]] == ["pointer"]


async def test_what_cannot_be_checked_is_exit_code_2_with_the_remedy(stores: Stores) -> None:
    await stores.write(sound_world())

    done = check(stores, "--only", "saga_overdue", POSTGRES_URL="postgresql://x@127.0.0.1:1/x")

    assert done.returncode == 2
    assert "start PostgreSQL, or set POSTGRES_URL" in done.stderr


def test_an_unknown_name_is_refused(stores: Stores) -> None:
    done = check(stores, "--only", "pointers")

    assert done.returncode == 2
    assert "no invariant is called pointers" in done.stderr


def test_the_list_says_what_each_invariant_means(stores: Stores) -> None:
    done = check(stores, "--list")

    assert done.returncode == 0
    assert all(name in done.stdout for name in INVARIANTS)
