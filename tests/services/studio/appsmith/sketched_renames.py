"""Renames in small apps drawn by chance, with and without what git sync goes by."""

from typing import Any

from hypothesis import strategies as st

from tests.services.studio.appsmith.sketches import Edit, Sketch, names_of, some_page


def _rename(draw: st.DrawFn, sketch: Sketch) -> None:
    """The thing, and nobody who says its name; what git sync goes by stays, if there is any."""
    page = some_page(draw, sketch)
    new = draw(st.sampled_from(["Q1", "Q2", "S1", "Twin", "New1", "New2"]))
    actions: dict[str, Any] = draw(st.sampled_from([page.queries, page.scripts, page.widgets]))
    if not actions or new in names_of(page):
        return
    old = draw(st.sampled_from(sorted(actions)))
    if actions is page.widgets:
        page.widgets[old].name = new
    else:
        actions[new] = actions.pop(old)


def _say(draw: st.DrawFn, sketch: Sketch) -> None:
    page = some_page(draw, sketch)
    code = draw(st.sampled_from(["Q1.data", "Twin.x + Q2.data", "(Q1 => Q1)(S1.f())", "New1"]))
    for widget in page.widgets.values():
        widget.own["said"] = f"{{{{{code}}}}}"
    if "S1" in page.scripts:
        page.scripts["S1"] = (f"export default {{ f: () => {code} }}", page.scripts["S1"][1])


def _take_over(draw: st.DrawFn, sketch: Sketch) -> None:
    """Appsmith takes over: what has no id gets one, if not always one of its own."""
    for page in sketch.pages.values():
        for actions in (page.queries, page.scripts):
            for name, (body, own) in actions.items():
                mark = draw(st.sampled_from([f"6_{name}", "6_twin"]))
                actions[name] = (body, {"gitSyncId": mark, **own})


def _rename_page(draw: st.DrawFn, sketch: Sketch) -> None:
    """In its place, with the same id."""
    old = draw(st.sampled_from(sorted(sketch.pages)))
    new = draw(st.sampled_from(["Home", "Two", "Three é", "Four"]))
    if new not in sketch.pages:
        sketch.pages[old].mark = sketch.pages[old].mark or f"6_{old}"
        sketch.pages = {new if n == old else n: page for n, page in sketch.pages.items()}


RENAMES: list[Edit] = [_rename, _rename, _rename, _say, _take_over, _rename_page]
