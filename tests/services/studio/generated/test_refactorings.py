"""Apps made at random: whatever is copied, moved or deleted leaves an app, and can be undone."""

from collections import Counter
from random import Random

import pytest

from services.studio.appsmith import App, Kind, parse
from tests.services.studio.generated.plans import a_plan
from tests.services.studio.generated.refactorings import Audit, movable, targets
from tests.services.studio.generated.written import files_of

pytestmark = pytest.mark.thorough

FORMATS = (2, 3, 4, 5)
SEEDS = range(4)
MOVES_EACH = 2


@pytest.mark.parametrize("version", FORMATS)
def test_whatever_is_done_leaves_an_app_and_can_be_undone(version: int) -> None:
    figures: Counter[str] = Counter()

    for seed in SEEDS:
        audit = Audit(parse(files_of(a_plan(seed, version))))
        wrong = audited(audit, Random(seed))
        assert not wrong, f"seed {seed}, format {version}: " + "\n".join(wrong[:5])
        figures += audit.figures

    assert figures["duplicated"] > 50
    assert figures["references in copies, to copies"] > 20
    assert figures["moved to another page"] > 20
    assert figures["broken by moves: rebound"] > 5
    assert figures["broken by deletions: dangling"] > 50


def audited(audit: Audit, dice: Random) -> list[str]:
    """Everything that there is copied and deleted, and moved to a few places."""
    wrong = []
    app: App = audit.app
    pages = [one for one in app if one.kind is Kind.PAGE]
    for entity in [*movable(app), *pages]:
        told = entity.entity_id
        wrong += [f"{told} duplicated: {line}" for line in audit.duplicate(entity)]
        wrong += [f"{told} deleted: {line}" for line in audit.delete(entity)]
    for entity in movable(app):
        places = targets(app, entity.kind)
        for target in dice.sample(places, min(MOVES_EACH, len(places))):
            told = f"{entity.entity_id} moved to {target}"
            wrong += [f"{told}: {line}" for line in audit.move(entity, target)]
    return wrong
