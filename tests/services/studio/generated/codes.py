"""Code with references planted in it: shapes to hide names in, with the true uses marked.

In a shape `«A»` is a use of entity A, `«A.»` one with members behind it, `«A.map»` the same with
one more, `«A!»` a use that is key and value at once, `«A\\»` one spelled with an escape, and
`«-A»` the same letters where they mean something else. `«E»` is another shape; in `«E-A»` the name
of A is somebody else's. A to D are of different names. What is free where is written down here by
hand, of ECMA-262, and of nothing that the product reads.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

HOLE = re.compile(r"«(-?)([A-D])([!\\]?)(?:(\.)(\w*))?»|«E(?:-([A-D]))?»")
DEPTH_MAX = 3
OTHERS_MAX = 4


@dataclass(frozen=True, slots=True)
class Ref:
    """A use. `entity`: the key of what it means, empty for a name that nothing has. `plain`: it is
    no code, only the name (in a list, in an id)."""

    entity: str
    name: str
    members: tuple[str, ...] = ()
    shorthand: bool = False
    escaped: bool = False
    plain: bool = False


Text = tuple[str | Ref, ...]


@dataclass(frozen=True, slots=True)
class Referent:
    """A name that code may use, and the members that it may ask for."""

    entity: str
    name: str
    members: tuple[tuple[str, ...], ...]


EXPRESSIONS = (
    "«A.»",
    "«A.»",
    "(«A.» + «B.»)",
    "«A.map»(«-A» => «-A».id + «E-A»)",
    "«A.filter»((row, i) => row.id !== «B.»[i] && «E»)",
    "'«-A»' + \"{{«-B»}} «-A»\" + «C.»",
    "/* «-A» */ «A.» // «-A»\n",
    "`«-A» ${«A.»} \\${«-B»} ${`${«E»}`} {«-C»}`",
    "({«-A»: «A.», «B!», '«-A»': «C», [«D.»]: «-A» => 1})",
    "(({«-A», b: c = «B»}) => «-A» + c + «E-A»)(«A»)",
    "(({«-A»: d = «A.»}) => d)(«A»)",
    "(({[«A.»]: d, ...«-B»}) => «-B»)(«B.»)",
    "(function «-A»(n) { return n ? «-A»(n - 1) : «E-A» })(«A.»)",
    "(() => { const «-A» = «B.», [p, ...q] = «C.»; return «-A» + p + q + «E-A» })()",
    "(() => { { let «-A» = 1; «-A» } return «A.» })()",
    "(() => { «-A»; var «-A»; return {«-A», «B!»} })()",
    "((«-A» = «B.») => «-A»)()",
    "(«A.» ? «B.» : «C.»)",
    "(typeof «A» === 'undefined' ? 0 : «E»)",
    "/«-A»{2}[«-B»]/.test(«A.»)",
    "moment(«A.»).format('«-A»') + Math.«-A» + appsmith.store.«-B»",
    "(class «-A» { «-B» = «C.»; static f() { return «-A».«-B» + «E-A» } }).f()",
    "(() => { try { return «A.» } catch («-A») { return «-A».message + «E-A» } })()",
    "(() => { for (const «-A» of «B.») { «-A»; «E-A» } return «A.» })()",
    "(() => { function «-A»() { return «B.» } return «-A»() })()",
    "(() => { switch («A.») { case 1: let «-B»; return «-B» } return «B.» })()",
    "(async () => { await «A.»(); const {«-B», e: «-C» = «A»} = «D.»; return {«-B», «-C»} })()",
    "[«A», , ...«B.»]",
    "(«A», «B.»)",
    "«A\\» + «B.»",
    "(«-A» => `${«-A»} ${«E-A»}`)(«A»)",
    "new Map([['«-A»', {«-A»: {«-B»: «B.»}}]])",
)
"""Values; each may stand anywhere that a value may."""

OBJECTS = ("{«-A»: «B.», «C!»}", "{«A!», «B!»}", " {'«-A»': «A.»}")
"""Values that stand alone."""

STATEMENTS = (
    "«A.»(() => showAlert('«-A»'), («-B») => «-B» + «E-B»)",
    "const «-A» = «B.»; «-A».x; «E-A»",
    "if («A.») { «B.»() } else «C.»(); «E»",
    "storeValue('«-A»', «-A»); «B.»({«-A», «C!»}); var «-A»",
    "showModal('«-A»'); closeModal('«-B»'); resetWidget('«-A»', true)",
    "«A.»(); // «-B»",
    "for (const «-A» of «B.») «-A».x(«E-A»)",
    "navigateTo('«-A»', {«-A»: «B.», '«-C»': 1}); «E»",
    "function «-A»() { return «B.» } «-A»()",
    "(«-A» => «-A»())(«A»)",
    "({«A!»} = «B.»); ({«C!» = «D.»} = «B.»)",
    "[«A», «B»] = «C.»; «A» += 1",
    "«-A»: for (;;) { «A.»; break «-A» }",
    "() => { «A.»(); «E» }",
    "async () => { try { await «A.»(«B.») } catch («-B») { «-B» } }",
)
"""What triggers run."""

WORDS = ("text", "SELECT 1", "é 😀 ", "a {b", "} c ", '"quoted" \\ ', "\n\t", "")


def expression(
    dice: Random, names: Sequence[Referent], shadowed: frozenset[str] = frozenset(), depth: int = 0
) -> Text:
    """A value with uses of some of the names (at least four) in it."""
    shapes = EXPRESSIONS if depth < DEPTH_MAX else EXPRESSIONS[:3]
    return _filled(dice, dice.choice(shapes), names, shadowed, depth)


def data(dice: Random, names: Sequence[Referent]) -> Text:
    """Code between braces that gives a value."""
    if dice.random() < 0.1:
        return _filled(dice, dice.choice(OBJECTS), names, frozenset(), 0)
    return expression(dice, names)


def trigger(dice: Random, names: Sequence[Referent]) -> Text:
    """Code between braces that does something."""
    return _filled(dice, dice.choice(STATEMENTS), names, frozenset(), 0)


def in_braces(dice: Random, code: Text) -> Text:
    """The code as a text has it."""
    start, end = dice.choice((("{{", "}}"), ("{{ ", " }}"), ("{{\n  ", "\n}}")))
    return (start, *code, end)


def mixed(dice: Random, names: Sequence[Referent]) -> Text:
    """A text with names that mean nothing, and code between."""
    found: list[str | Ref] = []
    for _ in range(dice.randint(1, 3)):
        found += [_harmless(dice), dice.choice(names).name, " "]
        found += in_braces(dice, data(dice, names))
    return (*found, dice.choice(names).name)


def _harmless(dice: Random) -> str:
    return dice.choice(WORDS).replace("{", "(").replace("}", ")")


def _filled(
    dice: Random, shape: str, names: Sequence[Referent], shadowed: frozenset[str], depth: int
) -> Text:
    slots = dict(zip("ABCD", _of_different_names(dice, names), strict=True))
    found: list[str | Ref] = []
    at = 0
    for hole in HOLE.finditer(shape):
        found.append(shape[at : hole.start()])
        at = hole.end()
        other, slot, mark, chain, last, hidden = hole.groups()
        if slot is None:
            inner = shadowed | ({slots[hidden].name} if hidden else set())
            found += expression(dice, names, inner, depth + 1)
        elif other:
            found.append(slots[slot].name)
        else:
            members = dice.choice(slots[slot].members) if chain else ()
            members += (last,) if last else ()
            found += _use(dice, slots[slot], members, mark or "", shadowed)
    return (*found, shape[at:])


def _of_different_names(dice: Random, names: Sequence[Referent]) -> list[Referent]:
    unique = {one.name: one for one in names}
    return dice.sample([*unique.values()], OTHERS_MAX)


def _use(
    dice: Random, one: Referent, members: tuple[str, ...], mark: str, shadowed: frozenset[str]
) -> Text:
    chain = "".join(_spelled(dice, member) for member in members)
    if one.name in shadowed:
        return (one.name + chain,)
    escaped = mark == "\\"
    return (Ref(one.entity, one.name, members, mark == "!", escaped), chain)


def _spelled(dice: Random, member: str) -> str:
    if not member.isidentifier():
        return f"[{member}]" if member.isdecimal() else f"['{member}']"
    return dice.choice((f".{member}", f".{member}", f"?.{member}", f'["{member}"]'))
