"""Why a path is bound in only one of the two: in Appsmith's lists, or by our own reading.

Each rule has a name, which the table counts; a difference without a rule fails the check.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from services.studio.appsmith import Kind
from tests.realapps.records import BODY, CONFIGURATION, DATASOURCE_URL

Rules = tuple[tuple[str, Callable[["Difference"], bool]], ...]

ALIASES = {
    "options": "sourceData",  # the select widget's property has had two names
    f"{CONFIGURATION}.datasource.datasourceConfiguration.url": DATASOURCE_URL,
}
"""Names in lists that are no longer those in the document."""

THEME = re.compile(r"\{\{\s*appsmith\.theme\b[\w.]*\s*\}\}")
FORM_DEFAULT = re.compile(
    r"\{\{\(\(sourceData, formData, fieldState\) => \((?:sourceData|appsmith\.theme\.[\w.]+)\)\)"
    r"\((\w+)\.sourceData, \1\.formData, \1\.fieldState\)\}\}"
)
"""What the client writes for a form's root, which it never lists."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A path that only one side has. `texts`: the strings that stand there; `there`: whether
    anything does; `others`: paths that only the other side has, in the same entity."""

    kind: Kind
    path: str
    trigger: bool
    there: bool
    texts: tuple[str, ...]
    others: frozenset[str] = frozenset()

    @property
    def coded(self) -> bool:
        return any("{{" in text for text in self.texts)

    @property
    def filled(self) -> bool:
        return any(text.strip() for text in self.texts)

    @property
    def last(self) -> str:
        return self.path.rpartition(".")[2]


THEIRS: Rules = (
    ("in the script's own file", lambda d: d.kind is Kind.SCRIPT_FUNCTION and d.path == BODY),
    ("under another name", lambda d: not d.there and ALIASES.get(d.path) in d.others),
    ("absent", lambda d: not d.there),
    ("no text", lambda d: d.there and not d.texts),
    ("empty trigger", lambda d: d.trigger and not d.filled),
    ("trigger in plain text", lambda d: d.trigger and not d.coded),
    ("path without code", lambda d: d.path == f"{CONFIGURATION}.path" and not d.coded),
    ("url without code", lambda d: d.path == DATASOURCE_URL and not d.coded),
)
"""For what Appsmith lists and we do not find, in order."""

OURS: Rules = (
    ("under another name", lambda d: not d.others.isdisjoint(_listed_as(d.path))),
    ("child stylesheet", lambda d: ".childStylesheet." in f".{d.path}"),
    ("theme default", lambda d: all(THEME.fullmatch(text.strip()) for text in d.texts)),
    ("form default", lambda d: all(FORM_DEFAULT.fullmatch(text) for text in d.texts)),
    ("derived column", lambda d: ".derivedColumns." in f".{d.path}"),
    ("list template", lambda d: d.path.startswith("template.")),
    ("unlisted trigger", lambda d: d.trigger),
    ("url of the datasource", lambda d: d.path == DATASOURCE_URL),
    ("Mongo form", lambda d: "formToNativeQuery" in d.path),
    ("unlisted body", lambda d: d.kind is Kind.QUERY and d.path == BODY),
)
"""For what we find and Appsmith does not list, in order."""

NOT_BOUND: Rules = (
    ("theme's stylesheet", lambda d: d.kind is Kind.THEME and d.path.startswith("stylesheet.")),
    ("argument's default", lambda d: d.kind is Kind.SCRIPT_FUNCTION and _is_argument(d.path)),
    ("never closed", lambda d: not any(re.search(r"\{\{[\s\S]*?\}\}", text) for text in d.texts)),
)
"""Strings with `{{` that are no bindings: templates for widgets to come, and copies of a script's
code that git sync writes beside it."""


def rule_of(rules: Rules, difference: Difference) -> str:
    """The first rule that explains it; empty when none does."""
    return next((name for name, explains in rules if explains(difference)), "")


def _listed_as(path: str) -> frozenset[str]:
    return frozenset(theirs for theirs, ours in ALIASES.items() if ours == path)


def _is_argument(path: str) -> bool:
    return re.fullmatch(re.escape(CONFIGURATION) + r"\.jsArguments\.\d+\.value", path) is not None
