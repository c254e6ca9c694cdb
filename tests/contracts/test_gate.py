"""The gate: all releases, who breaks, and what to do instead."""

from pathlib import Path
from uuid import UUID

import pytest

from chassis.clock import new_id
from tests.contracts.made import a_command, an_event, schema
from tools.contracts.consumers import Reader, readers, subscribers
from tools.contracts.gate import faults, release, released

OLD = an_event(cart_id=(UUID, ...), units=(int, ...), note=(str, ""))
WITHOUT_UNITS = an_event(cart_id=(UUID, ...), note=(str, ""))
WITH_MORE = an_event(cart_id=(UUID, ...), units=(int, ...), note=(str, ""), more=(str, ""))
WITHOUT_NOTE = an_event(cart_id=(UUID, ...), units=(int, ...), more=(str, ""))
TYPE = OLD.address.type

READERS = {
    "Moved": [
        Reader("services/stock/handlers.py: restock", frozenset({"units", "cart_id"})),
        Reader("services/mail/handlers.py: thank", frozenset({"cart_id"})),
    ]
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_an_added_optional_field_passes(folder: Path) -> None:
    release("1.0.0", {TYPE: OLD}, folder)

    assert faults({TYPE: WITH_MORE}, released(folder), READERS) == []


def test_a_removed_field_names_its_readers_and_the_way_out(folder: Path) -> None:
    release("1.0.0", {TYPE: OLD}, folder)

    (told,) = faults({TYPE: WITHOUT_UNITS}, released(folder), READERS)

    assert told.startswith("shop.Moved.v1, field units: removed: it is gone (released in 1.0.0)")
    assert "services/stock/handlers.py: restock" in told
    assert "services/mail" not in told
    assert "every subscriber of shop.cart.v1" in told
    assert "instead: keep sending it" in told


def test_every_release_is_compared_not_only_the_last(folder: Path) -> None:
    release("1.0.0", {TYPE: OLD}, folder)
    release("1.1.0", {TYPE: WITH_MORE}, folder)

    told = faults({TYPE: WITHOUT_NOTE}, released(folder), READERS)

    assert any("field note: " in each and "released in 1.0.0" in each for each in told)


def test_a_field_that_came_and_went_again_is_noticed(folder: Path) -> None:
    release("1.0.0", {TYPE: OLD}, folder)
    release("1.1.0", {TYPE: WITH_MORE}, folder)

    told = faults({TYPE: OLD}, released(folder), READERS)

    assert len(told) == 1
    assert "field more: removed" in told[0]


def test_a_message_that_is_gone_breaks(folder: Path) -> None:
    release("1.0.0", {TYPE: OLD}, folder)

    (told,) = faults({}, released(folder), READERS)

    assert told.startswith("shop.Moved.v1: removed: the message is gone")


def test_a_new_major_version_beside_the_old_one_passes(folder: Path) -> None:
    release("1.0.0", {TYPE: OLD}, folder)
    second = an_event("MovedAgain", cart_id=(UUID, ...))

    assert faults({TYPE: OLD, second.address.type: second}, released(folder), READERS) == []


def test_clients_of_the_gateway_are_named_for_what_they_may_send(folder: Path) -> None:
    old = a_command(cart_id=(UUID, ...), units=(int, 1))
    old.permission = "app.edit"
    new = a_command(cart_id=(UUID, ...))
    new.permission = "app.edit"
    release("1.0.0", {old.address.type: old}, folder)

    (told,) = faults({new.address.type: new}, released(folder), {})

    assert "breaks: every client of the gateway" in told


def test_a_saga_that_takes_the_field_from_an_answer_is_named(folder: Path) -> None:
    answer = a_command("Ask", cart_id=(UUID, ...))
    old = an_event("Done", cart_id=(UUID, ...), units=(int, ...))
    new = an_event("Done", cart_id=(UUID, ...))
    known = {"Ask": [Reader("sagas/sell.py"), Reader("services/stock/handlers.py: ask")]}
    schemas = {"shop.Ask.v1": schema(answer), "shop.Done.v1": schema(old)}
    schemas["shop.Ask.v1"]["x-basalt"]["answer"] = "shop.Done.v1"
    samples = {
        "shop.Ask.v1": {"cart_id": str(new_id())},
        "shop.Done.v1": {"cart_id": str(new_id())},
    }

    told = faults(
        {"shop.Done.v1": new, "shop.Ask.v1": answer},
        {"1.0.0": {"schemas": schemas, "samples": samples}},
        known,
    )

    assert any("breaks: sagas/sell.py (by the answer to Ask)" in each for each in told)
    assert not any("services/stock" in each for each in told if "field units" in each)


def test_a_release_is_never_rewritten(folder: Path) -> None:
    release("1.0.0", {TYPE: OLD}, folder)

    with pytest.raises(FileExistsError):
        release("1.0.0", {TYPE: WITH_MORE}, folder)


def test_readers_are_found_in_the_code(tmp_path: Path) -> None:
    handlers = tmp_path / "services" / "stock" / "handlers.py"
    handlers.parent.mkdir(parents=True)
    handlers.write_text(
        "from contracts.shop.cart import Moved, Sent\n"
        "async def restock(event: Moved, shelf: object) -> None:\n"
        "    shelf.take(event.cart_id, event.units)\n"
        "def other() -> object:\n"
        "    return Sent\n"
    )

    found = readers(tmp_path)

    assert found["Moved"] == [
        Reader("services/stock/handlers.py: restock", frozenset({"cart_id", "units"}))
    ]
    assert [reader.place for reader in found["Sent"]] == ["services/stock/handlers.py"]
    assert subscribers(tmp_path)["Moved"] == {"stock"}
