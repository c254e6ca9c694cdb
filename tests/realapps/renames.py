"""A rename, audited: what had to change did, and not a character more. Shares no code with it.

Code is split by the client's rule and its names are the referee's; where an entity's name stands
outside of code is written down here once more. JSON is compared literal by literal as it stands in
the file, so that another spelling of the same value is seen, too.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from services.studio.appsmith import App, Entity, Kind
from tests.realapps.client import places
from tests.realapps.own_places import Keys, Rename, moved, own_place
from tests.realapps.records import records_of
from tests.realapps.referee import Case, Referee, Verdict

LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')
ON = re.compile(r"on[A-Z]")
OF_PAGES, OWN = "navigateTo", ("this", "export")

Edits = list[tuple[int, int, str]]


class Auditor:
    """Audits renames of one app; what the referee said of its code is kept."""

    def __init__(self, before: App, referee: Referee) -> None:
        self._entities = tuple(before)
        self._before = before.files
        self._referee = referee
        self._verdicts: dict[Case, Verdict] = {}
        self._said: dict[str, list[tuple[str, bool]]] = defaultdict(list)

    def audit(
        self, after: Mapping[str, bytes], entity: Entity, new: str, *, mentions: bool = False
    ) -> list[str]:
        """What is wrong with the files after a rename of `entity`: a line each, with its file."""
        rename = self._rename(entity, new, mentions=mentions)
        files = {moved(path, rename): path for path in self._before}
        found = [f"{path}: not there" for path in files.keys() - after.keys()]
        found += [f"{path}: too much" for path in after.keys() - files.keys()]
        for path, was in files.items():
            content = after.get(path)
            if content is None:
                continue
            changes = self._expected(was, rename)
            compare = compared if was.endswith(".json") else compared_text
            lines = compare(self._before[was], content, changes)
            found += [f"{was}: {line}" for line in lines]
        return found

    def mentioned(self, entity: Entity) -> int:
        """How many texts that functions take for a name are this one's. A query's text, which
        stands in two places, is left out."""
        rename = self._rename(entity, "", mentions=True)
        start = "pages/" if rename.of_page else f"pages/{entity.page}/"
        if not self._said:
            for path, content in self._before.items():
                for case in all_codes({path: content}) if not path.endswith(".txt") else ():
                    for one in self._verdict(case).mentions:
                        self._said[one.text].append((path, one.function == OF_PAGES))
        return sum(
            path.startswith(start) and of_page == rename.of_page
            for path, of_page in self._said[entity.name]
        )

    def _rename(self, entity: Entity, new: str, *, mentions: bool) -> Rename:
        script = next((e for e in self._entities if e.entity_id == entity.parent_id), None)
        is_function = entity.kind is Kind.SCRIPT_FUNCTION and script is not None
        around = script if is_function and script is not None else entity
        functions = {e.path for e in self._entities if e.parent_id == around.entity_id}
        if around.kind is not Kind.SCRIPT:
            return Rename(entity, new, mentions=mentions)
        name = around.name if is_function else ""
        return Rename(entity, new, frozenset(functions), name, around.paths[-1], mentions)

    def _expected(self, path: str, rename: Rename) -> dict[int, str]:
        """The strings of a file that must change, by their place among its literals."""
        content = self._before[path]
        here = path.startswith(f"pages/{rename.entity.page}/") or (
            rename.of_page and path.startswith(("pages/", "application.json"))
        )
        slugged = rename.of_page and path in rename.entity.paths
        if not (here and (rename.old.encode() in content or slugged)):
            return {}
        if not path.endswith(".json"):
            text = content.decode() if path.endswith((".js", ".txt")) else ""
            own = path == rename.text
            renamed = self._code(text, list(codes_of_text(path, text)), rename, own=own)
            return {0: renamed} if renamed != text else {}
        document = json.loads(content)
        triggers = records_of(document).triggers
        changes = {}
        for place, (keys, is_key, text) in enumerate(strings(document)):
            renamed = own_place(path, keys, is_key, text, rename)
            if renamed == text and not is_key:
                own = is_own(path, keys, document, rename)
                codes = list(codes_of(path, keys, text, triggers))
                renamed = self._code(text, codes, rename, own=own)
            if renamed != text:
                changes[place] = renamed
        return changes

    def _code(
        self, text: str, codes: list[tuple[int, int, str]], rename: Rename, *, own: bool
    ) -> str:
        for start, end, goal in reversed(codes):
            code = text[start:end]
            if rename.old in code:
                verdict = self._verdict(Case(code, goal))
                for at, to, written in sorted(edits(verdict, rename, own=own), reverse=True):
                    code = code[:at] + written + code[to:]
            text = text[:start] + code + text[end:]
        return text

    def _verdict(self, case: Case) -> Verdict:
        if case not in self._verdicts:
            cases = [*dict.fromkeys([case, *all_codes(self._before)])]
            self._verdicts |= dict(zip(cases, self._referee.judge(cases), strict=True))
        return self._verdicts[case]


def edits(verdict: Verdict, rename: Rename, *, own: bool) -> Edits:
    """What must change in a piece of code. `own`: it is the script's of the function."""
    old, new = rename.old, rename.new
    found: Edits = []
    if rename.script:
        found = [
            (one.start, one.end, f"{new}: {old}" if one.shorthand else new)
            for one in verdict.members
            if one.member == old and (one.of == rename.script or (own and one.of in OWN))
        ]
    elif not rename.of_page:
        found = [
            (one.start, one.end, f"{old}: " * one.shorthand + new)
            for one in verdict.names
            if one.name == old
        ]
    if rename.mentions:
        found += [
            (one.start, one.end, new)
            for one in verdict.mentions
            if one.text == old and (one.function == OF_PAGES) == rename.of_page
        ]
    return found


def is_own(path: str, keys: Keys, document: object, rename: Rename) -> bool:
    """Whether a string is code of the function's script: its text, or what git sync noted of it."""
    if path == rename.text:
        return True
    if "jsonPathKeys" not in keys[-2:]:
        return False
    if "layoutOnLoadActions" not in keys:
        return path in rename.functions
    for key in keys[: keys.index("jsonPathKeys")]:
        document = document[int(key)] if isinstance(document, list) else at(document, key)
    name = at(document, "name")
    return isinstance(name, str) and name.rpartition(".")[0] == rename.script


def at(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def compared_text(before: bytes, after: bytes, changes: Mapping[int, str]) -> Iterator[str]:
    """How a body, or a file that is nothing we know, differs from what it must become."""
    if after != (changes[0].encode() if changes else before):
        yield "not the text it must become" if changes else "changed, and must not be"


def compared(before: bytes, after: bytes, changes: Mapping[int, str]) -> Iterator[str]:
    """How a document differs from what it must become."""
    if not changes:
        yield from compared_text(before, after, changes)
        return
    was, now = before.decode(), after.decode()
    if LITERAL.sub('""', was) != LITERAL.sub('""', now):
        yield "changed beside its strings"
        return
    pairs = zip(LITERAL.findall(was), LITERAL.findall(now), strict=True)
    for place, (one, other) in enumerate(pairs):
        if place not in changes and one != other:
            yield f"wrong: {one[:200]} became {other[:200]}"
        elif place in changes and json.loads(other) != changes[place]:
            kind = "missed" if one == other else "wrong"
            yield f"{kind}: {one[:200]} became {other[:200]}, not {changes[place][:200]!r}"


def strings(value: object, keys: Keys = ()) -> Iterator[tuple[Keys, bool, str]]:
    """All strings of a document in their order, and whether each is a key."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield keys, True, key
            yield from strings(inner, (*keys, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from strings(inner, (*keys, str(number)))
    elif isinstance(value, str):
        yield keys, False, value


def codes_of(
    path: str, keys: Keys, text: str, triggers: frozenset[str]
) -> Iterator[tuple[int, int, str]]:
    """Where a string of a document has code, and its goal."""
    if "jsonPathKeys" in keys[-2:]:
        yield 0, len(text), "data"
        return
    if "/jsobjects/" in path:  # an old format keeps the body in the document
        if keys[-1] == "body":
            yield 0, len(text), "script"
        return
    runs = "/queries/" not in path and (ON.match(keys[-1]) or ".".join(keys) in triggers)
    for start, end in places(text) if "{{" in text else ():
        yield start, end, "trigger" if runs else "data"


def codes_of_text(path: str, text: str) -> Iterator[tuple[int, int, str]]:
    """The same of a file that is a query's or a script's body."""
    if "/jsobjects/" in path and path.endswith(".js"):
        yield 0, len(text), "script"
    elif "/queries/" in path and path.endswith(".txt"):
        yield from ((start, end, "data") for start, end in places(text))


def all_codes(files: Mapping[str, bytes]) -> Iterator[Case]:
    """Every piece of code of an app, for one sitting of the referee."""
    for path, content in files.items():
        if not path.startswith("pages/") or not path.endswith((".json", ".js", ".txt")):
            continue
        if not path.endswith(".json"):
            text = content.decode()
            yield from (Case(text[a:b], goal) for a, b, goal in codes_of_text(path, text))
            continue
        document = json.loads(content)
        triggers = records_of(document).triggers
        for keys, is_key, text in strings(document):
            found = () if is_key else codes_of(path, keys, text, triggers)
            yield from (Case(text[a:b], goal) for a, b, goal in found)
