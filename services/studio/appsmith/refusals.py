"""Why a source tree or an edit is refused: typed errors with stable rule codes."""

from enum import StrEnum

PATH_SHOWN_MAX = 300


class Rule(StrEnum):
    """The rule that an import breaks. Codes are stable: clients and tests rely on them."""

    PATH_ESCAPE = "PATH_ESCAPE"
    PATH_INVALID = "PATH_INVALID"
    PATH_TOO_LONG = "PATH_TOO_LONG"
    PATH_TOO_DEEP = "PATH_TOO_DEEP"
    LINK = "LINK"
    SPECIAL_FILE = "SPECIAL_FILE"
    ENCRYPTED = "ENCRYPTED"
    UNSUPPORTED_COMPRESSION = "UNSUPPORTED_COMPRESSION"
    BOMB = "BOMB"
    TOO_MANY_FILES = "TOO_MANY_FILES"
    TOO_MANY_ENTITIES = "TOO_MANY_ENTITIES"
    ENTRY_TOO_LARGE = "ENTRY_TOO_LARGE"
    TOTAL_TOO_LARGE = "TOTAL_TOO_LARGE"
    BROKEN_ARCHIVE = "BROKEN_ARCHIVE"
    DUPLICATE_FILE = "DUPLICATE_FILE"
    MISSING_FILE = "MISSING_FILE"
    BROKEN_JSON = "BROKEN_JSON"
    UNSUPPORTED_FORMAT = "UNSUPPORTED_FORMAT"


class ImportRefused(Exception):
    """A source breaks a rule; nothing of it was taken. `path` is safe to show (escaped, cut)."""

    def __init__(self, *, path: str, rule: Rule, detail: str) -> None:
        self.path = shown(path)
        self.rule = rule
        self.detail = detail
        super().__init__(f"{rule}: {self.path}: {detail}")


class EditRule(StrEnum):
    """The rule that an edit breaks."""

    UNKNOWN_ENTITY = "UNKNOWN_ENTITY"
    NAME_TAKEN = "NAME_TAKEN"
    NAMES_TAKEN = "NAMES_TAKEN"
    NAME_INVALID = "NAME_INVALID"
    NAME_USED = "NAME_USED"
    NAME_CAPTURED = "NAME_CAPTURED"
    CODE_TOO_LONG = "CODE_TOO_LONG"
    NOT_RENAMABLE = "NOT_RENAMABLE"
    ID_TAKEN = "ID_TAKEN"
    ID_CHANGED = "ID_CHANGED"
    TYPE_MISSING = "TYPE_MISSING"
    SHAPE = "SHAPE"
    NO_TEXT = "NO_TEXT"
    NO_JSON = "NO_JSON"
    CREDENTIAL = "CREDENTIAL"
    NOT_A_CONTAINER = "NOT_A_CONTAINER"
    NOT_ADDABLE = "NOT_ADDABLE"
    NOT_MOVABLE = "NOT_MOVABLE"
    INSIDE_ITSELF = "INSIDE_ITSELF"
    NOT_REMOVABLE = "NOT_REMOVABLE"
    PAGE_UNKNOWN = "PAGE_UNKNOWN"
    LAST_PAGE = "LAST_PAGE"


class EditRefused(Exception):
    """An edit breaks a rule; `field` says which part of the input (`source.type`, `name`...)."""

    def __init__(self, *, field: str, rule: EditRule, detail: str) -> None:
        self.field = field
        self.rule = rule
        self.detail = detail
        super().__init__(f"{rule}: {field}: {detail}")


class NotPublishable(Exception):
    """An app can't become a bundle; `reason` says why, in words for its author."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def shown(path: str) -> str:
    """A path as errors may carry it: no control characters, no lone surrogates, bounded."""
    clean = "".join(sign if sign.isprintable() else _escaped(sign) for sign in path)
    return clean if len(clean) <= PATH_SHOWN_MAX else clean[: PATH_SHOWN_MAX - 1] + "…"


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")
