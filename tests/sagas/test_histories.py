"""Running sagas keep to the version that they began with."""

import orjson
import pytest

from chassis.saga import Saga
from sagas import SAGAS
from tests.sagas.histories import FOLDER, file_of, replay, shape_of

BY_FILE = {file_of(saga).name: saga for saga in SAGAS}
RECORDED = sorted(path.name for path in FOLDER.glob("*.json"))


@pytest.mark.parametrize("saga", SAGAS, ids=lambda saga: saga.name)
def test_every_version_has_a_history(saga: Saga) -> None:
    assert file_of(saga).exists(), "run python -m tests.sagas.histories"


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_version_is_still_deployed_as_it_was(name: str) -> None:
    history = orjson.loads((FOLDER / name).read_bytes())

    assert name in BY_FILE, "sagas may still run on it: keep it beside its successor"
    assert shape_of(BY_FILE[name]) == history["shape"], "a change of steps needs a new version"


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_history_is_decided_the_same_way_again(name: str) -> None:
    history = orjson.loads((FOLDER / name).read_bytes())

    for told, story in history["stories"].items():
        assert replay(BY_FILE[name], story["inputs"]) == story["decisions"], told
