"""Checks: what is wrong with a revision, and whether an import brought it (docs/adr/0020)."""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from chassis.resources import Resources
from contracts.studio.app import PROBLEMS_MAX, Finding
from services.studio.model.listing import LIST_BYTES_MAX, told
from services.studio.model.past import Past
from services.studio.model.releasing import Checked
from services.studio.model.revision import Revision
from services.studio.references import Knot, PageGraph, order_of
from services.studio.references.problems import Judged, judged
from services.studio.store.findings import problems_told, short
from services.studio.store.graphs import Graphs


class GraphChecks:
    """Fulfils the model's Checks."""

    def __init__(self, resources: Resources) -> None:
        self._graphs = Graphs(resources)

    async def check(self, revision: Revision) -> Checked:
        """All pages of it."""
        workspace_id = revision.workspace_id
        graphs = await self._graphs.pages(workspace_id, revision.digest)
        pages = await judged_pages(self._graphs, workspace_id, graphs, revision.made_of)
        return await asyncio.to_thread(_checked, graphs, pages)


async def judged_pages(
    store: Graphs, workspace_id: UUID, graphs: Mapping[str, PageGraph], past: Past
) -> dict[str, Judged]:
    """The pages with something wrong: only of these the imported ones are looked at."""
    knots = await asyncio.to_thread(_knots, graphs)
    wrong = [page for page, one in graphs.items() if one.missing or knots[page]]
    folders = {folder for page in wrong for folder in past.folders(page)}
    contents = [
        await store.pages(workspace_id, digest, folders) for digest in past.imports if folders
    ]
    imported = {
        page: [one[folder] for one in contents for folder in past.folders(page) if folder in one]
        for page in wrong
    }
    return await asyncio.to_thread(
        lambda: {page: judged(graphs[page], imported[page], knots[page]) for page in wrong}
    )


def _knots(graphs: Mapping[str, PageGraph]) -> dict[str, tuple[Knot, ...]]:
    return {page: order_of(graph).knots for page, graph in graphs.items()}


def _checked(graphs: Mapping[str, PageGraph], pages: Mapping[str, Judged]) -> Checked:
    found = [one for page in sorted(pages) for one in problems_told(graphs[page], pages[page])]
    problems = [one for one in found if not one.imported]
    warnings = [one for one in found if one.imported]
    return Checked(_some(problems), len(problems), _some(warnings), len(warnings))


def _some(found: Sequence[Finding]) -> list[Finding]:
    """As much as a message may hold."""
    return told((short(one) for one in found), PROBLEMS_MAX, LIST_BYTES_MAX)
