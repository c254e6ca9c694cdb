"""A commit as git keeps it, and the part of it that an import says of a revision."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

AUTHOR_CHARACTERS_MAX = 200
MESSAGE_CHARACTERS_MAX = 10_000
NOBODY = "unknown"

# What the gateway takes in no name: controls, and what hides or turns a text around.
_DISGUISES = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060\u2066-\u2069\ufeff]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_PERSON = re.compile(r"^(?P<name>.*?) ?<[^>]*> ?(?P<at>-?\d+)? ?(?P<zone>[+-]\d+)?$")


@dataclass(frozen=True)
class Commit:
    """`name` is git's hash; `tree` the hash of its files; `authored_at` has the author's offset."""

    name: str
    tree: str
    author_name: str
    authored_at: datetime
    message: str

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]


def parse_commit(name: str, raw: bytes) -> Commit:
    """Read a commit object. What no revision can say is replaced, never refused: a history has
    strange names, encodings and clocks in it."""
    head, _, body = raw.partition(b"\n\n")
    headers: dict[str, bytes] = {}
    for line in head.split(b"\n"):
        key, _, value = line.partition(b" ")
        headers.setdefault(key.decode("ascii", "replace"), value)
    encoding = headers.get("encoding", b"utf-8").decode("ascii", "replace")
    person = _PERSON.match(_text(headers.get("author", b""), encoding))
    who, seconds, zone = person.group("name", "at", "zone") if person else ("", None, None)
    return Commit(
        name=name,
        tree=headers["tree"].decode(),
        author_name=one_line(who) or NOBODY,
        authored_at=moment(int(seconds or 0), zone or "+0000"),
        message=paragraphs(_text(body, encoding)),
    )


def one_line(text: str) -> str:
    """A name that the gateway takes; empty when there is nothing in it to read."""
    clean = " ".join(_DISGUISES.sub(" ", text).split())[:AUTHOR_CHARACTERS_MAX]
    return clean if any(sign.isalnum() for sign in clean) else ""


def paragraphs(text: str) -> str:
    """A message without control characters but tabs and ends of lines, cut where it is too long."""
    clean = _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n")).strip("\n")
    if len(clean) <= MESSAGE_CHARACTERS_MAX:
        return clean
    return clean[: MESSAGE_CHARACTERS_MAX - 1] + "…"


def moment(seconds: int, zone: str) -> datetime:
    """Git's time: seconds since 1970 and an offset like +0700. Impossible ones become the nearest
    possible, in UTC."""
    sign = -1 if zone.startswith("-") else 1
    minutes = int(zone[1:-2] or 0) * 60 + int(zone[-2:])
    offset = timezone(timedelta(minutes=sign * minutes)) if 0 < minutes < 24 * 60 else UTC
    try:
        return datetime.fromtimestamp(seconds, offset)
    except (OverflowError, OSError, ValueError):
        return datetime(9999, 12, 31, tzinfo=UTC) if seconds > 0 else datetime(1, 1, 1, tzinfo=UTC)


def _text(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding, "replace")
    except LookupError:
        return raw.decode("utf-8", "replace")
