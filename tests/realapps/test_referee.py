"""The referee is trusted with everything else: what it must get right by itself."""

import pytest

from tests.realapps.referee import Case, Missing, Referee, Sitting, Verdict, installed


@pytest.fixture(scope="module")
def referee() -> Referee:
    try:
        return Referee()
    except Missing as missing:
        pytest.skip(str(missing))


def names(verdict: Verdict) -> list[str]:
    return [one.name for one in verdict.names]


def test_verdicts_come_in_the_order_of_the_cases(referee: Referee) -> None:
    cases = [Case(f"name{number} + 1", "data") for number in range(500)]

    verdicts = referee.judge(cases)

    assert [names(one) for one in verdicts] == [[f"name{number}"] for number in range(500)]


def test_places_count_code_points(referee: Referee) -> None:
    code = "'👩‍👩‍👧' + a + `𠮷` + 𠮷.𠮷 + b"

    (verdict,) = referee.judge([Case(code, "data")])

    assert [code[one.start : one.end] for one in verdict.names] == ["a", "𠮷", "b"]
    assert [one.path for one in verdict.names] == [(), ("𠮷",), ()]


@pytest.mark.parametrize(
    ("goal", "code", "expected"),
    [
        ("data", "{a}", ["a"]),
        ("data", "{a: b}", ["b"]),
        ("data", "var a = b; a", ["b"]),
        ("data", "a // b", ["a"]),
        ("data", "a;;\n", ["a"]),
        ("trigger", "{a: b}", ["b"]),
        ("trigger", "function () { a }", ["a"]),
        ("trigger", "return await a", ["a"]),
        ("trigger", "{ function a() {} } a", ["a"]),
        ("script", "export default { a: b, c() { return this.a } }", ["b"]),
        ("script", "await a", ["a"]),
        ("data", "(function (a = arguments) { return arguments })", []),
        ("data", "() => arguments", ["arguments"]),
        ("data", "(a => eval('b') + a + c)", ["eval", "c"]),
        ("data", "", []),
    ],
)
def test_code_is_read_as_its_goal_says(
    referee: Referee, goal: str, code: str, expected: list[str]
) -> None:
    (verdict,) = referee.judge([Case(code, goal)])

    assert verdict.broken == ""
    assert names(verdict) == expected


@pytest.mark.parametrize(
    ("goal", "code"),
    [
        ("data", "a) + (b"),
        ("data", "a b"),
        ("data", "return +"),
        ("trigger", "if ("),
        ("script", "with (a) {}"),
        ("data", "[" * 100_000),
    ],
)
def test_what_is_no_javascript_is_broken(referee: Referee, goal: str, code: str) -> None:
    (verdict,) = referee.judge([Case(code, goal)])

    assert verdict.broken
    assert verdict.names == ()


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("a.b.c", ("b", "c")),
        ("a?.b?.['c d'][0]", ("b", "c d", "0")),
        ("a.b[c].d", ("b",)),
        ("a.b().c", ("b",)),
        ("(a.b).c", ("b",)),
        ("a[`b`].c", ("b", "c")),
        ("a[`b${c}`].d", ()),
        ("a['\\x62'].c", ()),
        ("a", ()),
    ],
)
def test_members_are_followed_as_far_as_they_are_written(
    referee: Referee, code: str, path: tuple[str, ...]
) -> None:
    (verdict,) = referee.judge([Case(code, "data")])

    assert verdict.names[0].path == path


def test_a_name_that_is_a_key_too_says_so(referee: Referee) -> None:
    (verdict,) = referee.judge([Case("({a, b: c, [d]: e, f = g} = {h})", "trigger")])

    assert [one.name for one in verdict.names if one.shorthand] == ["a", "f", "h"]


def test_a_sitting_judges_one_case_after_the_other(referee: Referee) -> None:
    with referee.sitting() as sitting:
        found = [names(sitting.judge(Case(code, "data"))) for code in ("a", "(", "b\u2028+ c")]

    assert found == [["a"], [], ["b", "c"]]


def test_a_dead_sitting_says_so(referee: Referee) -> None:
    with referee.sitting() as sitting:
        end(sitting)
        with pytest.raises((RuntimeError, BrokenPipeError)):
            sitting.judge(Case("a", "data"))


def test_without_node_the_referee_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(Missing, match="node is not installed"):
        installed.__wrapped__()


def end(sitting: Sitting) -> None:
    sitting._process.kill()
    sitting._process.wait(10)
