"""Settings: read once, frozen, silent about secrets."""

import pytest
from pydantic import ValidationError

from chassis.settings import ServiceSettings, SettingsInvalid, read_settings

KEY = "a key for the tests of settings"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTEXT_KEY", KEY)


def test_a_field_is_a_variable_in_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PORT", "17299")

    assert read_settings(ServiceSettings).http_port == 17299


def test_they_do_not_change() -> None:
    settings = read_settings(ServiceSettings)

    with pytest.raises(ValidationError, match="frozen"):
        settings.http_port = 1  # type: ignore[misc]  # that is the point


def test_printed_they_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_URL", "postgresql://billing:sw0rdfish@db/billing")

    shown = repr(read_settings(ServiceSettings))

    assert "sw0rdfish" not in shown
    assert KEY not in shown


def test_all_faults_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PORT", "99999")
    monkeypatch.setenv("LOG_LEVEL", "chatty")

    with pytest.raises(SettingsInvalid) as refusal:
        read_settings(ServiceSettings)

    assert "HTTP_PORT: input should be less than" in str(refusal.value)
    assert "LOG_LEVEL: input should be 'debug'" in str(refusal.value)


def test_another_service_is_found_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLING_URL", "http://billing:8000/")
    settings = read_settings(ServiceSettings)

    assert settings.url_of("billing") == "http://billing:8000"
    with pytest.raises(SettingsInvalid, match="STUDIO_URL is not set"):
        settings.url_of("studio")
