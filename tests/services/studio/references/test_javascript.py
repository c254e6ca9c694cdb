"""Which names code takes from outside."""

import time

import pytest

from services.studio.references import CODE_BYTES_MAX, Doubt, Goal, names_in
from services.studio.references.scopes import DEEP
from services.studio.references.syntax import MEMBERS_MAX


def free(code: str, goal: Goal = Goal.DATA) -> list[str]:
    return [code[one.start : one.end] for one in names_in(code, goal).found]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("Table1.selectedRow.id", ["Table1"]),
        ("a.map(x => x.id + y)", ["a", "y"]),
        ("'Table1' + `Table2 ${b} Table3` /* Table4 */ // Table5", ["b"]),
        ("{a, b: c, [d]: e, f() { return g }}", ["a", "c", "d", "e", "g"]),
        ("(({a, b: c = d, ...e}) => a + c + e)(f)", ["d", "f"]),
        ("function f(a = b, [c]) { return f(a, c, arguments) }", ["b"]),
        ("(function (a = x) { var x = 1; return x + a })()", ["x"]),
        ("a?.b?.[c] ?? d", ["a", "c", "d"]),
        ("new Map([[k, v]])", ["Map", "k", "v"]),
        ("await q.run()", ["q"]),
        ("/Table1/.test(x)", ["x"]),
        ("ünïcode + 'ß' + 名前", ["ünïcode", "名前"]),
        ("'😀😀' + a", ["a"]),
        ("(\\u0061 => a + \\u{62})(c)", ["\\u{62}", "c"]),
        ("a;", ["a"]),
        ("  ", []),
    ],
)
def test_data_has_its_free_names(code: str, expected: list[str]) -> None:
    assert free(code) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("const a = b; { let a = c; a }; a", ["b", "c"]),
        ("{ let a = 1 } a", ["a"]),
        ("{ var a = 1 } a", []),
        ("f(); function f() { return g() }", ["g"]),
        ("for (const a of b) a; for (let i = 0; i < n; i++) i; i", ["b", "n", "i"]),
        ("try { a } catch (e) { e } e", ["a", "e"]),
        ("try { a } catch ({message}) { message }", ["a"]),
        ("x: for (;;) { break x }", []),
        (
            "class A extends B { #p = c; static { d } [e]() { return A } } new A",
            ["B", "c", "d", "e"],
        ),
        ("switch (a) { case b: let c; c } c", ["a", "b", "c"]),
        ("[a.b, c] = d; ({e, f: g} = h)", ["a", "c", "d", "e", "g", "h"]),
        ("Q.run(() => showAlert(Q.data), e => e)", ["Q", "showAlert", "Q"]),
        ("return a", ["a"]),
    ],
)
def test_triggers_are_statements(code: str, expected: list[str]) -> None:
    assert free(code, Goal.TRIGGER) == expected


def test_members_follow_as_far_as_they_can_be_told() -> None:
    paths = {
        one.name: one.path
        for one in names_in("a.b.c + d['e f'].g + h[0].i + j[k].l + (m).n", Goal.DATA).found
    }

    assert paths == {
        "a": ("b", "c"),
        "d": ("e f", "g"),
        "h": ("0", "i"),
        "j": (),
        "k": (),
        "m": (),
    }


def test_a_name_written_with_escapes_is_the_name() -> None:
    (only,) = names_in("T\\u0061ble1.d\\u{61}ta", Goal.DATA).found

    assert (only.name, only.path, only.start, only.end) == ("Table1", ("data",), 0, 11)


@pytest.mark.parametrize(
    "code", ["\\u0000", "a\\u{d800}", "Q.\\u0020", "({\\u0031: Q})", "let \\u{1F600} = Q"]
)
def test_an_escape_of_what_no_name_has_is_no_javascript(code: str) -> None:
    names = names_in(code, Goal.DATA)

    assert (names.found, [one.doubt for one in names.doubts]) == ((), [Doubt.BROKEN])


def test_what_a_module_passes_on_is_no_name() -> None:
    code = "export * as a from 'b'; export { c } from 'd'; export default { e }"

    assert free(code, Goal.SCRIPT) == ["e"]


def test_a_name_that_is_key_and_value_says_so() -> None:
    found = names_in("{a, b: b}", Goal.DATA).found

    assert [(one.name, one.shorthand) for one in found] == [("a", True), ("b", False)]


def test_a_key_and_its_target_in_a_pattern_belong_together_with_a_default_too() -> None:
    found = names_in("({a: b = c, 'd': e = f, [g]: h} = i)", Goal.DATA).found

    assert [(one.name, one.key_start) for one in found] == [
        ("b", 2),
        ("c", None),
        ("e", None),
        ("f", None),
        ("g", None),
        ("h", None),
        ("i", None),
    ]


@pytest.mark.parametrize(
    ("code", "doubt"),
    [
        ("Table1[key].x", Doubt.COMPUTED),
        ("eval(text)", Doubt.EVAL),
        ("new Function('return Table1')", Doubt.EVAL),
        ("(", Doubt.BROKEN),
        ("a b c", Doubt.BROKEN),
        ("a) + (b", Doubt.BROKEN),
        ("a); (b", Doubt.BROKEN),
        ("a)(b", Doubt.BROKEN),
        ("<div>{a}</div>", Doubt.BROKEN),
        ("'" + "a" * CODE_BYTES_MAX + "'", Doubt.TOO_LARGE),
    ],
)
def test_what_nobody_can_tell_is_said_to_be_so(code: str, doubt: Doubt) -> None:
    assert doubt in {one.doubt for one in names_in(code, Goal.DATA).doubts}


def test_names_inside_with_are_not_guessed() -> None:
    names = names_in("with (a) { b }", Goal.TRIGGER)

    assert [one.name for one in names.found] == ["a"]
    assert [one.doubt for one in names.doubts] == [Doubt.WITH]


def test_a_local_eval_is_no_doubt() -> None:
    assert not names_in("(eval => eval('a'))(b)", Goal.DATA).doubts


def test_a_script_has_its_members() -> None:
    code = "export default { rows: [], 'a b': 1, load: async () => { await Q.run() }, f() {} }"

    names = names_in(code, Goal.SCRIPT)

    found = [(one.name, one.is_function, code[one.start : one.end]) for one in names.members]
    assert found == [
        ("rows", False, "rows: []"),
        ("a b", False, "'a b': 1"),
        ("load", True, "load: async () => { await Q.run() }"),
        ("f", True, "f() {}"),
    ]
    assert [one.name for one in names.found] == ["Q"]


@pytest.mark.thorough
@pytest.mark.parametrize(
    "code",
    [
        "(" * 10_000 + "a" + ")" * 10_000,
        "[" * 10_000,
        "a." * 10_000 + "b",
        "a(" * 10_000,
        "x => " * 10_000 + "y",
        "`${" * 5_000 + "a" + "}`" * 5_000,
        "{" * 10_000 + "}" * 10_000,
        "a+" * 100_000 + "b",
        "<a " * 30_000,
        "{ let a = b; " * 15_000 + "}" * 15_000,
        "{ var a = b; " * 15_000 + "}" * 15_000,
        "for (var a of b) { " * 11_000 + "}" * 11_000,
        "a[" * 80_000 + "1" + "]" * 80_000,
        "\u200b\u2060a",
        "\ud800 + a",
        "\0",
        "class { constructor",
    ],
    ids=lambda code: ascii(code[:12]),
)
def test_hostile_code_takes_bounded_time(code: str) -> None:
    began = time.process_time()

    for goal in Goal:
        names_in(code, goal)

    assert time.process_time() - began < 10


@pytest.mark.parametrize("scopes", [2, DEEP - 1, DEEP, 3 * DEEP])
def test_names_are_found_however_deep_they_stand(scopes: int) -> None:
    inner = "let a0; a0; b; " + "{ c; let d; " * scopes + "a0; b; c; d; d1" + "}" * scopes
    code = f"{{ let d1; {inner} }} d; showModal('a'); {{ let showModal; showModal('b') }}"

    names = names_in(code, Goal.TRIGGER)

    free = sorted(one.name for one in names.found)
    assert free == sorted(["b", *["c"] * scopes, "b", "c", "d", "showModal"])
    assert [one.name for one in names.mentions] == ["a"]


def test_of_a_long_chain_its_beginning_is_told() -> None:
    (only,) = names_in("a" + ".b" * 5_000, Goal.DATA).found

    assert only.path == ("b",) * MEMBERS_MAX
