"""The decisions keep their form."""

import re

from tests.conformance.tidy import ROOT

PAGES = sorted((ROOT / "docs" / "adr").glob("*.md"))
LINES_MAX = 60


def test_a_decision_is_short_quotable_and_enforced() -> None:
    for page in PAGES:
        text = page.read_text()
        assert len(text.splitlines()) <= LINES_MAX, page.name
        assert re.search(r"\*\*Decision\.\*\* \*.+\*", text), f"{page.name}: the quotable sentence"
        assert "**Enforced by**" in text, page.name


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(page.name[:4]) for page in PAGES]

    assert numbers == list(range(1, len(PAGES) + 1))


def test_links_inside_the_docs_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        if not page.exists():
            continue
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
