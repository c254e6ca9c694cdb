"""A rename, audited: what had to change did, and not a character more. Shares no code with it.

Code is split by the client's rule and its names are the referee's; where an entity's name stands
outside of code is written down here once more. JSON is compared literal by literal as it stands in
the file, so that another spelling of the same value is seen, too.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.studio.appsmith import App, Entity, Kind
from tests.realapps.client import places
from tests.realapps.records import DATA_LIST, TRIGGER_LIST, records_of
from tests.realapps.referee import Case, Referee, Verdict

LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')
ON = re.compile(r"on[A-Z]")
LISTS = (DATA_LIST, TRIGGER_LIST)

Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rename:
    """An entity's new name. `functions`: the files of a script's functions."""

    entity: Entity
    new: str
    functions: frozenset[str] = frozenset()

    @property
    def old(self) -> str:
        return self.entity.name


class Auditor:
    """Audits renames of one app; what the referee said of its code is kept."""

    def __init__(self, before: App, referee: Referee) -> None:
        self._entities = tuple(before)
        self._before = before.files
        self._referee = referee
        self._verdicts: dict[Case, Verdict] = {}

    def audit(self, after: Mapping[str, bytes], entity: Entity, new: str) -> list[str]:
        """What is wrong with the files after a rename of `entity`: a line each, with its file."""
        functions = (e.path for e in self._entities if e.parent_id == entity.entity_id)
        is_script = entity.kind is Kind.SCRIPT
        rename = Rename(entity, new, frozenset(functions if is_script else ()))
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

    def _expected(self, path: str, rename: Rename) -> dict[int, str]:
        """The strings of a file that must change, by their place among its literals."""
        content = self._before[path]
        if (
            not path.startswith(f"pages/{rename.entity.page}/")
            or rename.old.encode() not in content
        ):
            return {}
        if not path.endswith(".json"):
            text = content.decode()
            renamed = self._code(text, list(codes_of_text(path, text)), rename)
            return {0: renamed} if renamed != text else {}
        document = json.loads(content)
        triggers = records_of(document).triggers
        changes = {}
        for place, (keys, is_key, text) in enumerate(strings(document)):
            renamed = own_place(path, keys, is_key, text, rename)
            if renamed == text and not is_key:
                renamed = self._code(text, list(codes_of(path, keys, text, triggers)), rename)
            if renamed != text:
                changes[place] = renamed
        return changes

    def _code(self, text: str, codes: list[tuple[int, int, str]], rename: Rename) -> str:
        for start, end, goal in reversed(codes):
            code = text[start:end]
            if rename.old in code:
                for name in reversed(self._verdict(Case(code, goal)).names):
                    if name.name == rename.old:
                        written = f"{rename.old}: " * name.shorthand + rename.new
                        code = code[: name.start] + written + code[name.end :]
            text = text[:start] + code + text[end:]
        return text

    def _verdict(self, case: Case) -> Verdict:
        if case not in self._verdicts:
            cases = [*dict.fromkeys([case, *all_codes(self._before)])]
            self._verdicts |= dict(zip(cases, self._referee.judge(cases), strict=True))
        return self._verdicts[case]


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


def own_place(path: str, keys: Keys, is_key: bool, text: str, rename: Rename) -> str:
    """What a string must become that is the entity's own name; itself, where it is not."""
    old, new, page = rename.old, rename.new, rename.entity.page
    if rename.entity.kind is Kind.WIDGET:
        if is_key:
            return new if keys[-1:] == ("template",) and text == old else text
        if keys[-1] == "key" and len(keys) > 2 and keys[-3] in LISTS:
            return re.sub(rf"^template\.{re.escape(old)}(?=\.)", f"template.{new}", text)
        return new if keys[-1] == "widgetName" and text == old else text
    own = path in rename.entity.paths or path in rename.functions
    if is_key or not (own or "layoutOnLoadActions" in keys):
        return text
    if keys[-1] in ("id", "collectionId"):
        return re.sub(rf"^({re.escape(page)}_){re.escape(old)}(?=$|\.)", rf"\g<1>{new}", text)
    if keys[-1] == "fullyQualifiedName" or (keys[-1] == "name" and path not in rename.functions):
        inner = keys[-2:] in (("unpublishedAction", "name"), ("unpublishedCollection", "name"))
        named = inner or keys[-1] == "fullyQualifiedName" or "layoutOnLoadActions" in keys
        return re.sub(rf"^{re.escape(old)}(?=$|\.)", new, text) if named else text
    return text


def moved(path: str, rename: Rename) -> str:
    """Where a file must be after the rename."""
    start = f"pages/{rename.entity.page}/"
    if not path.startswith(start):
        return path
    old, new = rename.old, rename.new
    folder, *rest = path.removeprefix(start).split("/")
    if rename.entity.kind is Kind.WIDGET and folder == "widgets":
        rest = [_part(part, old, new, ".json") for part in rest]
    elif path in rename.entity.paths:
        rest = [_part(part, old, new, ".json", ".txt", ".js") for part in rest]
    elif path in rename.functions and rest:
        rest = [re.sub(rf"^{re.escape(old)}(?=-)", new, part) for part in rest]
    return start + "/".join((folder, *rest)) if rest else path


def _part(part: str, old: str, new: str, *endings: str) -> str:
    return (
        new + part.removeprefix(old) if part == old or part in {old + e for e in endings} else part
    )
