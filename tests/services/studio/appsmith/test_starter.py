"""The starter app."""

from services.studio.appsmith import Kind, new_app, pack_app, parse


def test_is_an_app_like_any_other() -> None:
    app = new_app("Shop ☕")

    again = parse(app.tree())

    assert list(again) == list(app)
    assert (app.counts["page"], app.counts["widget"], app.format_version) == (1, 1, 5)
    assert [e.name for e in app if e.kind is Kind.WIDGET] == ["Greeting"]


def test_is_the_same_for_the_same_name() -> None:
    assert pack_app(new_app("Shop")) == pack_app(new_app("Shop"))
