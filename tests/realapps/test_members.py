"""Uses of one member of a script: those of the referee, in code written for it and in random."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from services.studio.references import Doubt, Goal, names_in
from services.studio.references.renames.members import Member, member_uses
from tests.realapps.programs import programs
from tests.realapps.referee import Case, Missing, Referee, Sitting, Used, Verdict

NEW = "Renamed9"
RANDOM = settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

DATA = (
    "s.a + s?.a?.b + s['a'] + s[`a`] + s[a] + s[`${a}`] + s['\\x61'] + s.a.s.a + b.s.a + s",
    "(s).a + ((s))?.['a'] + (1, s).a + (c ? s : d).a + typeof s + (s && s.a) + new s.a()",
    "({s, a: s.a, s: 1, [s.a]: s['a'], ...s, a() { return s.a }})",
    "(() => { const {a, b: c, 'a': d, ['a']: e, [f]: g, ...h} = s; return a })()",
    "(() => { const {b, ...h} = s, {...i} = s.a, [j] = s, k = s; })()",
    "(() => { let a, b; ({a = 1, a: b = 2} = s); b = ({a} = s); [b] = s; b = s; b += s })()",
    "(({a} = s, {b = s.a} = {}) => a)()",
    "(s => s.a)(s.a) + (() => { let s; return s.a })() + (function s() { return s.a })",
    "(() => { for (const {a} of s) s.a++; for (const k in s) delete s.a; for (s.a of b); })()",
    "(class { a = s.a; [s.a]() { return this.a } static b = this.a })",
    "async () => { await this.a(); return this?.['a'].b + (this).a + this[b] + this }",
    "function () { return () => this.a + (function () { return this.a }) }",
    "() => ({a: this.a, b() { return this.a }, get c() { return this.a }, d: () => this.a})",
    "() => { const {a, ...b} = this; class C { a = this.a } return a }",
    "`${s.a} s.a ${s[a]}` + 's.a' + /s.a/ + s.é.a /* s.a */",
)
SCRIPT = (
    "export default { a: () => this.a, b: function () { return this.a + (() => this.a)() } }",
    "export default { a() { return this.a }, 'a': 1, ['a']: 2, [b]: 3, get a() { return 4 } }",
    "import a from 'b'; export default { a, c: this.a, ...d, e: s.a }",
    "export default /* a */ (({ a: () => this.a, b: s.a }));",
    "const f = () => this.a; function g() { this.a } export default { a: f, h: {a: this.a} }",
    "export default { a: async function* () { this.a(this) }, b: { c() { this.a; this } } }",
    "export default { a: () => { const {a, ...b} = this; const o = this; this[a] } }",
    "export default { a: wrapped(() => this.a, function () { this.a }), b: class { c = this.a } }",
)
CASES = [Case(code, "data") for code in DATA] + [Case(code, "script") for code in SCRIPT]


@pytest.fixture(scope="module")
def sitting() -> Iterator[Sitting]:
    try:
        referee = Referee()
    except Missing as missing:
        pytest.skip(str(missing))
    with referee.sitting() as sitting:
        yield sitting


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_uses_of_a_member_are_the_referees(sitting: Sitting, case: Case, own: bool) -> None:
    verdict = sitting.judge(case)
    assert verdict.broken == ""

    assert ours(case, "s", "a", own) == theirs(verdict, "s", "a", own)


@pytest.mark.thorough
@RANDOM
@given(
    case=programs(),
    script=st.sampled_from(["a", "Query1", "é", "get"]),
    member=st.sampled_from(["a", "Query1", "变量", "if", "set"]),
    own=st.booleans(),
)
def test_uses_of_a_member_in_random_programs_are_the_referees(
    sitting: Sitting, case: Case, script: str, member: str, own: bool
) -> None:
    verdict = sitting.judge(case)
    names = names_in(case.code, Goal(case.goal))
    assume(not verdict.broken)
    assume(all(one.doubt is Doubt.COMPUTED for one in names.doubts))

    assert ours(case, script, member, own) == theirs(verdict, script, member, own)


Told = tuple[list[tuple[int, int, str]], list[tuple[int, int]]]


def ours(case: Case, script: str, member: str, own: bool) -> Told:
    found = member_uses(
        case.code, Goal(case.goal), Member(script, member, NEW), own=own, named=True
    )
    return [(one.start, one.end, one.new) for one in found.splices], found.unclear


def theirs(verdict: Verdict, script: str, member: str, own: bool) -> Told:
    def meant(one: Used) -> bool:
        return one.of == script or (own and one.of in ("this", "export"))

    splices = [
        (one.start, one.end, f"{NEW}: {member}" if one.shorthand else NEW)
        for one in verdict.members
        if meant(one) and one.member == member
    ]
    unclear = {
        (one.start, one.end)
        for one in verdict.unclear
        if meant(one) and one.member in ("", member) and member not in one.other
    }
    return sorted(splices), sorted(unclear)
