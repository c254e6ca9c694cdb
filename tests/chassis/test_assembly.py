"""A service refuses to start when something is missing, and says what and where."""

from dataclasses import replace

import pytest

from chassis.context import Context
from chassis.service import CannotStart, Service
from chassis.settings import SettingsInvalid, read_settings
from tests.chassis.toy.contracts.toy.counter import (
    Count,
    Counted,
    CountQuietly,
    GetCounter,
    Reading,
)
from tests.chassis.toy.service import Counters, Settings, service


class Unprovided:
    """Nobody provides this."""


async def count_badly(command: Count, counters: Counters, missing: Unprovided) -> Counted:
    raise AssertionError("never called")


async def look_badly(query: GetCounter, missing: Unprovided) -> Reading:
    raise AssertionError("never called")


class TestRefusesToStart:
    def test_when_a_handlers_parameter_has_no_provider(self) -> None:
        with pytest.raises(CannotStart, match=r"count_badly: nothing provides missing: .*Unprov"):
            replace(service, handlers=(count_badly,)).check()

    def test_when_a_views_parameter_has_no_provider(self) -> None:
        with pytest.raises(CannotStart, match=r"look_badly: nothing provides missing: .*Unprov"):
            replace(service, views=(look_badly,)).check()

    def test_when_a_command_belongs_to_another_service(self) -> None:
        with pytest.raises(CannotStart, match=r"toy\.Count\.v1 is a command to toy, not to shop"):
            replace(service, name="shop").check()

    def test_when_handlers_have_no_inbox(self) -> None:
        with pytest.raises(CannotStart, match="inbox"):
            Service(name="toy", settings=Settings, handlers=(unused,)).check()

    def test_when_the_environment_lacks_a_value(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CONTEXT_KEY", raising=False)
        monkeypatch.setenv("HTTP_PORT", "a secret port")

        with pytest.raises(SettingsInvalid, match="CONTEXT_KEY: field required") as refusal:
            read_settings(Settings)

        assert "a secret port" not in str(refusal.value)

    def test_a_whole_service_passes(self) -> None:
        service.check()


async def unused(command: CountQuietly, context: Context) -> Counted:
    raise AssertionError("never called")
