"""Where an entity's name stands outside of code, and in its files' names: written down once more,
for the audit of renames."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from services.studio.appsmith import Entity, Kind
from tests.realapps.records import DATA_LIST, TRIGGER_LIST

LISTS = (DATA_LIST, TRIGGER_LIST, "dynamicPropertyPathList")
IDS = ("id", "collectionId")

Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rename:
    """An entity's new name. `functions`: the files of a script's functions. `script`: of a
    function, its script's name; then `functions` are all of that script's. `text`: the file that
    the script's text is in. `mentions`: texts that functions take for the name change, too."""

    entity: Entity
    new: str
    functions: frozenset[str] = frozenset()
    script: str = ""
    text: str = ""
    mentions: bool = False

    @property
    def old(self) -> str:
        return self.entity.name

    @property
    def of_page(self) -> bool:
        return self.entity.kind is Kind.PAGE

    @property
    def full(self) -> tuple[str, str]:
        """The name as others write it, before and after."""
        start = f"{self.script}." if self.script else ""
        return start + self.old, start + self.new


def own_place(path: str, keys: Keys, is_key: bool, text: str, rename: Rename) -> str:
    """What a string must become that is the entity's own name; itself, where it is not."""
    if rename.of_page:
        return text if is_key else place_of_page(path, keys, text, rename)
    if rename.entity.kind is Kind.WIDGET:
        return place_of_widget(keys, is_key, text, rename)
    (old, new), page = rename.full, rename.entity.page
    mine = path in rename.entity.paths
    own = mine or (path in rename.functions and not rename.script)
    listed = "layoutOnLoadActions" in keys
    if is_key or not (own or listed):
        return text
    if keys[-1] in IDS:
        return re.sub(rf"^({re.escape(page)}_){re.escape(old)}(?=$|\.)", rf"\g<1>{new}", text)
    if keys[-1] == "fullyQualifiedName" or (listed and keys[-1] == "name"):
        return re.sub(rf"^{re.escape(old)}(?=$|\.)", lambda _: new, text)
    named = keys in (("unpublishedAction", "name"), ("unpublishedCollection", "name"))
    return rename.new if mine and named and text == rename.old else text


def place_of_widget(keys: Keys, is_key: bool, text: str, rename: Rename) -> str:
    old, new = rename.old, rename.new
    if is_key:
        return new if keys[-1:] == ("template",) and text == old else text
    if keys[-1] == "key" and len(keys) > 2 and keys[-3] in LISTS:
        return re.sub(rf"^template\.{re.escape(old)}(?=\.)", f"template.{new}", text)
    return new if keys[-1] == "widgetName" and text == old else text


def place_of_page(path: str, keys: Keys, text: str, rename: Rename) -> str:
    old, new = rename.old, rename.new
    same = new if text == old else text
    if path == "application.json":
        return same if (*keys[:1], *keys[2:]) == ("pages", "id") else text
    if not path.startswith(f"pages/{rename.entity.page}/"):
        return text
    begun = new + text.removeprefix(old) if text.startswith(f"{old}_") else text
    if path in rename.entity.paths:
        if keys == ("unpublishedPage", "name"):
            return same
        if keys == ("unpublishedPage", "slug"):
            return slug(new) if text == slug(old) else text
        if keys[:2] == ("unpublishedPage", "layouts") and keys[3:] == ("id",):
            return same
        return begun if "layoutOnLoadActions" in keys and keys[-1] in IDS else text
    if path.split("/")[2] in ("queries", "jsobjects"):
        if keys == ("id",) or keys[1:] == ("collectionId",):
            return begun
        return same if keys[1:] == ("pageId",) else text
    return text


def slug(name: str) -> str:
    """A page's name as Appsmith writes it in addresses."""
    latin = unicodedata.normalize("NFD", name).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall("[a-z0-9]+", latin))


def moved(path: str, rename: Rename) -> str:
    """Where a file must be after the rename."""
    start = f"pages/{rename.entity.page}/"
    if not path.startswith(start):
        return path
    old, new = rename.old, rename.new
    folder, *rest = path.removeprefix(start).split("/")
    if rename.of_page:
        own = path in rename.entity.paths and folder == f"{old}.json"
        return f"pages/{new}/" + "/".join((f"{new}.json" if own else folder, *rest))
    if rename.entity.kind is Kind.WIDGET and folder == "widgets":
        rest = [_part(part, old, new, ".json") for part in rest]
    elif path in rename.entity.paths:
        before = f"{rename.script}-" if rename.script else ""
        rest = [_part(p, before + old, before + new, ".json", ".txt", ".js") for p in rest]
    elif beside(path, rename.entity.paths):
        before = f"{rename.script}-" if rename.script else ""
        rest = [_part(rest[0], before + old, before + new), *rest[1:]]
    elif rest and not rename.script and path in rename.functions:
        rest = [re.sub(rf"^{re.escape(old)}(?=-)", new, part) for part in rest]
    elif rest and not rename.script and beside(path, rename.functions):
        rest = [re.sub(rf"^{re.escape(old)}(?=-)", new, rest[0]), *rest[1:]]
    return start + "/".join((folder, *rest)) if rest else path


def beside(path: str, paths: Iterable[str]) -> bool:
    """Whether a file that is nothing we know lies in the folder of one that is."""
    folders = {one.removesuffix("metadata.json") for one in paths if one.endswith("/metadata.json")}
    return any(path.startswith(folder) for folder in folders)


def _part(part: str, old: str, new: str, *endings: str) -> str:
    return (
        new + part.removeprefix(old) if part == old or part in {old + e for e in endings} else part
    )
