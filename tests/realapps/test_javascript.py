"""Our scopes against the referee's: cases thought out by hand, and programs made at random."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, given, settings

from services.studio.references import Goal, Names, names_in
from tests.realapps.check import difference
from tests.realapps.programs import programs
from tests.realapps.referee import Case, Free, Missing, Referee, Sitting, Verdict

NEW_NAME = "Renamed9"
RANDOM = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

DATA = (
    "a.b.c + d['e'].f + g[h].i + j?.k?.[0]?.l + m?.(n)",
    "{a, b: c, [d]: e, 'f': g, 1: h, ...i}",
    "({a, b: c, [d]: e} = f)",
    "[a, [b], ...c] = d",
    "({a = b, c: {d = e} = f, ...g} = h)",
    "a => a + b",
    "(a, {b, c: [d, e = f]}, ...g) => [a, b, c, d, e, g, h]",
    "({a = b, [c]: d = e}) => a + d",
    "(a = b, b) => a",
    "(a = () => b) => { var b; return a() + b }",
    "(function f(a) { return f(a) + arguments[0] + g }) + f",
    "(() => arguments)()",
    "(function () { return () => arguments })",
    "(class A extends B { c = A; static d = e; #f = this.#f + g; [h]() { return A } })",
    "(class A {}) + A + (class B extends B {}).b",
    "(class { static { var a } }).b(a)",
    "(class { static { var a = b; let c = a; function d() {} d() } get e() { return a } })",
    "(class extends a.b.C { constructor(d) { super(d, e); super.f(g) } set h(i) { j(i) } })",
    "({ a() { return a }, get b() { return b }, set b(c) { c + d }, async *e() { yield f } })",
    "`a ${b} ${`${c} d`} ${d => `${d}`} \\${e}`",
    "a.b`c ${d} e`",
    "a ? b : c ?? d",
    "/a b/g.test(c) / d / e",
    "/[/}]/.exec(f)",
    "typeof a + void b + delete c.d + (e in f) + (g instanceof h)",
    "new a.B(c) + new d + new (e())(f)",
    "async a => { await a; for await (const b of c) await b }",
    "await a",
    "function* f() { yield* a }",
    "a /* b */ // c",
    "// a\nb",
    "'a' + \"b\" + `c`",
    "'😀' + a + '👩‍👩‍👧' + b",
    "{ '😀': a, 变量: 变量2, é }",
    "ÅngströmÉ + 𠮷 + $_",
    "\\u0061bc + \\u{62}",
    "\\u0061 => a",
    "a\u200cb + c\u200d",
    "'\u200b' + `\u2060 ${a}` + /\u200b/.test(b) /* \u200b */ + c // \u2060",
    "\ufeffa + \ufeffb",
    "undefined + NaN + Infinity + this + null",
    "async + of + get + set + static + from + let + as",
    "async => async",
    "({ async, get, set, of, static: 1 })",
    "({ async: 1, await: 2, class: a, if: b })",
    "(a, b)",
    "(a)",
    "((a).b).c",
    "a; ",
    "a\n;;\n",
    "eval('a') + (b => eval('c') + b + d)",
    "function () { return new.target }",
    "a++ + --b - c.d++",
    "a ||= b &&= c ??= d",
    "a **= b",
    "0.1.a + 1..b + c[0x1F] + d[`e`] + f[-1]",
    "a.if.class.new",
    "a?.b.c(d).e",
    "x => { 'use strict'; return y }",
    "(a => { var a; return a })(a)",
    "(() => { { let a; } return a })()",
    "(() => { a; let a })()",
    "a\u2028+ b",
    "",
    "   ",
)

TRIGGER = (
    "a.run(() => b(c), (d) => e(d))",
    "var a = b, {c, d: [e]} = f; a + c + d + e",
    "let a = a0; { let a = b; a } const c = a",
    "a: for (;;) { break a; continue a }",
    "for (a of b) c(a)",
    "for (var a of b) c(a); a",
    "for (let a of b) c(a); a",
    "for (const [a, b = c] of d) a + b",
    "for (const {a, b: c = e} of a) c",
    "for (let a = 0, b = c; a < d; a++) e(b); a",
    "for (a in b) c",
    "for (a.b in c) d",
    "for (let a in a) a",
    "for ([a, b.c] of d) a",
    "for (var i = 0; ; ) { var j } i + j",
    "while (a) { var b = c } b",
    "do a(); while (b)",
    "try { a } catch (b) { b + c } finally { d } b",
    "try { a } catch { b }",
    "try { a } catch ({b, c: [d = e]}) { b + d }",
    "try { let a } catch (b) { var b = c; let d } b + d",
    "switch (a) { case b: let c = d; default: c } c",
    "function a(b) { return b + c } a(d)",
    "a(b); function a() {}",
    "{ function a() {} } a()",
    "if (a) function b() {} b",
    "async function a() { await b } function* c() { yield d } a; c",
    "class A { b = A } new A(c); class D extends A {}",
    "B; class B {}",
    "if (a) { b } else if (c) { d }",
    "return a",
    "throw new Error(a)",
    "await a.run(); b()",
    "a\nb\n(c)",
    "var a; (function () { a; var b = a })(); b",
    "const {a, ...b} = c, [d, , ...e] = f; b; e; d",
    "const f = function g() { return g }; f(g)",
    "const f = (f) => f; f",
    "debugger; ; a",
    "({a} = b)",
    "{a, b}",
    "{a: b}",
    "() => { a() }",
    "function () { a(b) }",
    "async () => { await a() }",
    "var undefined; undefined; a",
    "var arguments; arguments",
    "const await1 = await import('x'); await1 + y",
    "import('a' + b).then(c)",
    "a(function () { b; return this.c }.bind(d))",
    "setTimeout(() => { x = y; z++ }, 1)",
    "/* {{ a }} */ b; // c",
    "if (a) /re/.test(b)",
    "a = b / c / d; e",
    "label: { var let1 = a; break label }",
    "<!-- a\nb",
    "a = 1\n--> b\nc",
)

SCRIPT = (
    "export default { a: 1, b() { return this.a + c }, d: () => Query1.run({ e: this.a }) }",
    "export default { async f(x) { const { data } = await q.run(x); return data.map(d => d.g) } }",
    "import a, {b as c, d} from 'm'; import * as e from 'n'; export default { a, c, d, e, b }",
    "export const a = b; export { a as c }; export function d() { return e } export default a",
    "export { a } from 'b'; export * from 'c'; export * as d from 'e'; f",
    "export default class A extends B {}",
    "export default function () { return a }",
    "export default async function f() { return f(a) }",
    "export default a.b",
    "const a = import.meta.url; await b; export default { a }",
    "var x = 1; export default { y: x + z }; { function w() {} } w()",
    "export default {\n\t// Query1.run()\n\ta: `Query1 ${b}`,\n\t/* Query2 */ c: 'Query3'\n}",
    "export default { myVar1: [], ['a' + b]: c, get d() { return e }, 'f g': h }",
)

BROKEN = (
    ("(", "data"),
    ("a b", "data"),
    ("a) + (b", "data"),
    ("a); (b", "data"),
    ("a)(b", "data"),
    ("a}, {b", "data"),
    ("`${a", "data"),
    ("if (", "trigger"),
    ("export default {", "script"),
    ("a +", "trigger"),
    ("a\u200b.b", "data"),
    ("a.\u2060b", "trigger"),
    ("a\u200b", "data"),
    ("`${\u200b}`", "data"),
)

CASES = [
    Case(code, goal)
    for goal, codes in (("data", DATA), ("trigger", TRIGGER), ("script", SCRIPT))
    for code in codes
]


@pytest.fixture(scope="module")
def referee() -> Referee:
    try:
        return Referee()
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def sitting(referee: Referee) -> Iterator[Sitting]:
    with referee.sitting() as sitting:
        yield sitting


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.goal}: {case.code}")
def test_free_names_and_members_are_the_referees(sitting: Sitting, case: Case) -> None:
    verdict = sitting.judge(case)

    ours = names_in(case.code, Goal(case.goal))

    assert verdict.broken == ""
    assert difference(ours, verdict) == ""


@pytest.mark.parametrize(("code", "goal"), BROKEN)
def test_what_the_referee_cannot_parse_is_broken(sitting: Sitting, code: str, goal: str) -> None:
    assert sitting.judge(Case(code, goal)).broken

    assert names_in(code, Goal(goal)).broken


@pytest.mark.thorough
@RANDOM
@given(case=programs())
def test_free_names_of_random_programs_are_the_referees(sitting: Sitting, case: Case) -> None:
    verdict = sitting.judge(case)
    assume(not verdict.broken)  # a name declared twice, say, which is no error of syntax for us

    ours = names_in(case.code, Goal(case.goal))

    assert difference(ours, verdict) == ""


@pytest.mark.thorough
@RANDOM
@given(case=programs())
def test_a_name_replaced_where_we_found_it_is_another_free_name_and_nothing_else(
    sitting: Sitting, case: Case
) -> None:
    ours, before = names_in(case.code, Goal(case.goal)), sitting.judge(case)
    assume(ours.found and not before.broken)
    old = ours.found[0].name

    code = _renamed(case.code, ours, old)

    after = sitting.judge(Case(code, case.goal))
    expected = [NEW_NAME if one.name == old else one.name for one in before.names]
    assert [one.name for one in after.names] == expected


def test_a_difference_is_told_with_its_place() -> None:
    ours = names_in("a.b + c", Goal.DATA)
    theirs = Verdict((Free(0, 1, "a", ("b",)), Free(6, 7, "d")))

    assert difference(ours, theirs) == "missed d at 6 wrong c at 6"


def _renamed(code: str, ours: Names, old: str) -> str:
    for one in reversed(ours.found):
        if one.name == old:
            new = f"{old}: {NEW_NAME}" if one.shorthand else NEW_NAME
            code = code[: one.start] + new + code[one.end :]
    return code
