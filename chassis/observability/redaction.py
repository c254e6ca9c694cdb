"""Redaction: secrets never reach a log line, whatever somebody binds or raises."""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

REDACTED = "[redacted]"
_DEPTH_MAX = 6
_SECRET_NAMES = re.compile(
    r"passw(or)?d|passphrase|secret|token|authorization|cookie|credential|api_?key|private_?key"
    r"|context_key|^basalt-context$|^dsn$",
    re.IGNORECASE,
)
# user:password@ in a URL; a bearer token; name=value or "name": "value" of a secret name.
_IN_TEXT = (
    (re.compile(r"(\w+://[^\s:/@]*:)[^\s@]+@"), r"\1" + REDACTED + "@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w\-.~+/=]{6,}"), r"\1 " + REDACTED),
    (
        re.compile(
            r"""(?ix)(["']?\w*(?:passw(?:or)?d|passphrase|secret|token|api_?key|private_?key)"""
            r"""\w*["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;)}\]]+)"""
        ),
        r"\1" + REDACTED,
    ),
)


def redact(
    logger: object,
    method: str,
    event: MutableMapping[str, Any],  # structlog's own signature
) -> MutableMapping[str, Any]:
    """A structlog processor: replaces values of secret names, and secrets inside text."""
    for name, value in event.items():
        event[name] = _clean(name, value, 0)
    return event


def masked(fields: Mapping[str, Any]) -> dict[str, Any]:  # JSON
    """A copy of a JSON object as a log line would have it: for people to look at."""
    return {str(name): _clean(str(name), value, 0) for name, value in fields.items()}


def clean_text(text: str) -> str:
    """The text without passwords in URLs, bearer tokens and `password=...` pairs."""
    for pattern, replacement in _IN_TEXT:
        text = pattern.sub(replacement, text)
    return text


def _clean(name: str, value: object, depth: int) -> object:
    if value is None or isinstance(value, bool):
        return value
    if _SECRET_NAMES.search(name):
        return REDACTED
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        return clean_text(value)
    if depth >= _DEPTH_MAX:
        return REDACTED
    if isinstance(value, Mapping):
        return {str(key): _clean(str(key), item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", item, depth + 1) for item in value]
    return clean_text(str(value))
