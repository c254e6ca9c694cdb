"""What the docs tell clients to send."""

import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

ROOT = Path(__file__).parents[3]
SCHEMA = build_schema((ROOT / "services/gateway/graphql/schema.graphql").read_text())
BLOCK = re.compile(r"```graphql\n(.*?)```", re.DOTALL)
START = re.compile(r"^(?:query|mutation|subscription|\{)", re.MULTILINE)


def documents() -> list[tuple[str, str]]:
    """Each document of each block, with where it stands: a block may have several."""
    found = []
    for page in sorted((ROOT / "docs").glob("*.md")):
        for block in BLOCK.findall(page.read_text()):
            starts = [match.start() for match in START.finditer(block)]
            ends = [*starts[1:], len(block)]
            found += [(page.name, block[a:b]) for a, b in zip(starts, ends, strict=True)]
    return found


@pytest.mark.parametrize(("page", "document"), documents())
def test_every_document_of_the_docs_is_one_of_the_schema(page: str, document: str) -> None:
    errors = validate(SCHEMA, parse(document))

    assert [error.message for error in errors] == []


def test_the_docs_have_documents() -> None:
    assert {page for page, _ in documents()} >= {"graphql.md", "refactoring.md"}
