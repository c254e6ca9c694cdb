"""Checks: what is wrong with a revision, and whether an import brought it (docs/adr/0020)."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from chassis.resources import Resources
from contracts.studio.app import PROBLEMS_MAX, Finding
from services.studio.model.releasing import Checked
from services.studio.model.revision import Revision
from services.studio.references import Knot, PageGraph, order_of
from services.studio.references.problems import Problems, judged
from services.studio.store.findings import cycle_told, missing_told, short
from services.studio.store.graphs import Graphs


class GraphChecks:
    """Fulfils the model's Checks."""

    def __init__(self, resources: Resources) -> None:
        self._graphs = Graphs(resources)

    async def check(self, revision: Revision) -> Checked:
        """Only of pages with something wrong are the imported ones looked at."""
        graphs = await self._graphs.pages(revision.workspace_id, revision.digest)
        knots = await asyncio.to_thread(_knots, graphs)
        wrong = {page: one for page, one in graphs.items() if one.missing or knots[page]}
        if not wrong:
            return Checked()
        past = revision.made_of
        folders = {folder for page in wrong for folder in past.folders(page)}
        contents = [
            await self._graphs.pages(revision.workspace_id, digest, folders)
            for digest in past.imports
        ]
        imported = {
            page: [one[f] for one in contents for f in past.folders(page) if f in one]
            for page in wrong
        }
        return await asyncio.to_thread(_checked, wrong, knots, imported)


def _knots(graphs: Mapping[str, PageGraph]) -> dict[str, tuple[Knot, ...]]:
    return {page: order_of(graph).knots for page, graph in graphs.items()}


def _checked(
    graphs: Mapping[str, PageGraph],
    knots: Mapping[str, tuple[Knot, ...]],
    imported: Mapping[str, Sequence[PageGraph]],
) -> Checked:
    pages = {page: judged(graphs[page], imported[page], knots[page]) for page in graphs}
    added = {page: one.added for page, one in pages.items()}
    brought = {page: one.brought for page, one in pages.items()}
    return Checked(
        problems=_told(graphs, added),
        problems_count=sum(map(len, added.values())),
        warnings=_told(graphs, brought),
        warnings_count=sum(map(len, brought.values())),
    )


def _told(graphs: Mapping[str, PageGraph], found: Mapping[str, Problems]) -> list[Finding]:
    """Some of them, by page: as much as a message may hold."""
    return [short(one) for one in islice(_each(graphs, found), PROBLEMS_MAX)]


def _each(graphs: Mapping[str, PageGraph], found: Mapping[str, Problems]) -> Iterator[Finding]:
    for page in sorted(found):
        graph, problems = graphs[page], found[page]
        yield from (missing_told(graph, one) for one in problems.dangling)
        yield from (cycle_told(graph, one) for one in problems.cycles)
