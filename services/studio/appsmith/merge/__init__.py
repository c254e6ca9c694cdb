"""Three-way merge of apps, by entity and property, that never makes a broken document.

    merged = merge(base, ours, theirs)             # conflicts keep ours ...
    merged = merge(base, ours, theirs, {conflict_id: Side.THEIRS})    # ... unless it is chosen

A change of one side alone is taken; files that one side alone changed keep their exact bytes.
Modules, from the inside out: `values` (JSON and texts), `presence` (what stays), `entity`, `trees`
(format 4), `sections` (a page), `pages` (the list of them), `whole`; `conflicts` and `safety` serve
all of them. Before that `alignment` says the sides in the same names: `page_names`, `naming` and
`renames`, `places`, each of which makes `turned` sections. After it `loose` looks for loose ends.
"""

from services.studio.appsmith.merge.conflicts import CONFLICTS_MAX, Clash, Conflict, Side
from services.studio.appsmith.merge.whole import Merged, merge

__all__ = ["CONFLICTS_MAX", "Clash", "Conflict", "Merged", "Side", "merge"]
