"""What `make realapps` does with real apps, with a small one, on two replicas of everything."""

import pytest

from services.studio.appsmith import parse
from tests.flows.traveller import Traveller
from tests.realapps.doors import Gateway
from tests.realapps.findings import Findings
from tests.realapps.product import GROUP, ByProduct
from tests.realapps.referee import Missing, Referee
from tests.realapps.test_product import OLDER
from tests.realapps.test_renames import FILES, Json, written


@pytest.fixture(scope="module")
def referee() -> Referee:
    try:
        return Referee()
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("files", [FILES, OLDER], ids=["files", "trees"])
async def test_every_referenced_entity_is_renamed_and_back(
    traveller: Traveller, referee: Referee, files: dict[str, Json | str]
) -> None:
    app, findings = parse(written(files)), Findings("made up")
    doors = Gateway(traveller.client)
    await doors.settle()

    await ByProduct("App", app, referee, doors, lambda done, count: None, 2).check(findings)

    assert findings.unexplained == []
    assert findings.figures[f"{GROUP}: renamed"] >= 3
    assert findings.figures[f"{GROUP}: imported again"] >= 2
