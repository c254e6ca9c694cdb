"""Documents on a MongoDB-compatible server, and in a simulated one."""

from collections.abc import AsyncIterator

import pytest

from chassis.clock import new_id
from chassis.errors import Unavailable
from chassis.stores.mongo import Documents
from chassis.testing.simulation.stores import SimDocuments, kept


@pytest.fixture(params=["mongo", "simulated"])
async def documents(request: pytest.FixtureRequest) -> AsyncIterator[Documents]:
    """The simulated one promises what the real one does."""
    if request.param == "simulated":
        yield SimDocuments(kept())
        return
    mongo_url = request.getfixturevalue("mongo_url")
    documents = Documents.open(mongo_url, f"test_{new_id().hex}")
    yield documents
    documents.close()


class TestDocuments:
    async def test_a_repeated_insert_keeps_the_first(self, documents: Documents) -> None:
        first = [{"_id": n, "text": "first"} for n in range(3)]
        second = [{"_id": n, "text": "second"} for n in range(5)]

        new = await documents.insert_many_ignoring_duplicates("notes", first)
        more = await documents.insert_many_ignoring_duplicates("notes", second)

        assert (new, more) == (3, 2)
        assert await documents.get("notes", 1) == {"_id": 1, "text": "first"}
        assert await documents.get("notes", 4) == {"_id": 4, "text": "second"}

    async def test_a_replacement_is_all_that_is_there(self, documents: Documents) -> None:
        await documents.insert_many_ignoring_duplicates("notes", [{"_id": 1, "old": "x"}])

        for identity in (1, 2):
            await documents.replace("notes", {"_id": identity, "text": "new"})

        for identity in (1, 2):
            assert await documents.get("notes", identity) == {"_id": identity, "text": "new"}

    async def test_many_are_read_in_the_order_asked_for(self, documents: Documents) -> None:
        await documents.insert_many_ignoring_duplicates("notes", [{"_id": n} for n in range(4)])

        found = await documents.get_many("notes", [3, 9, 0])

        assert found == [{"_id": 3}, None, {"_id": 0}]

    async def test_a_page_is_sorted_and_limited(self, documents: Documents) -> None:
        rows = [{"_id": n, "kind": "even" if n % 2 == 0 else "odd", "at": n} for n in range(9)]
        await documents.create_index("notes", [("kind", 1), ("at", -1)])
        await documents.insert_many_ignoring_duplicates("notes", rows)

        page = await documents.find(
            "notes", {"kind": "even", "at": {"$lt": 8}}, sort=[("at", -1)], limit=2, fields=["at"]
        )

        assert page == [{"_id": 6, "at": 6}, {"_id": 4, "at": 4}]
        assert await documents.count("notes", {"kind": "odd"}) == 4

    async def test_a_server_that_is_away_is_unavailable(self) -> None:
        documents = Documents.open("mongodb://127.0.0.1:1/", "none", timeout=0.2)

        with pytest.raises(Unavailable):
            await documents.get("notes", 1)
