"""A payment provider for development: a server of its own that moves no money.

    python infra/dev/payments.py --port 7407 --folder DIR

It forgets nothing: every request, payment and effect is in a SQLite file before it is answered.
`POST /payments/{authorise,capture,void,refund,find}` with `{"key": ...}`; a verb and a key have one
effect, and another input under a known key is refused (409). `GET /healthz`, `GET /effects/<key>`.

The payment token decides what happens, word by word, separated by "-":
    tok-ok                 all goes well
    tok-declined           refused when it is authorised
    tok-capturedeclined    refused when it is captured
    tok-slow2000           authorise and capture are answered 2000 ms late
    tok-lostauthorise      authorised, and the connection dropped without an answer, once
    tok-lostcapture        captured, and the connection dropped without an answer, once
    tok-failcapture3       the first 3 captures are answered 500, and nothing is done
`POST /rules {"down": true}` answers everything 503 until it is false again.
"""

import argparse
import hashlib
import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Json = dict[str, Any]  # a JSON object
BODY_BYTES_MAX = 65_536
SLOW_MS_MAX = 60_000
SOCKET_TIMEOUT_S = 60.0
LOCK_TIMEOUT_S = 10.0

TABLES = """
CREATE TABLE IF NOT EXISTS payment (
    key TEXT PRIMARY KEY, state TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL, token TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS effect (
    seq INTEGER PRIMARY KEY, key TEXT NOT NULL, what TEXT NOT NULL, amount_minor INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS request (
    seq INTEGER PRIMARY KEY, key TEXT NOT NULL, verb TEXT NOT NULL, digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS once (key TEXT NOT NULL, what TEXT NOT NULL, PRIMARY KEY (key, what));
"""
AFTER = {"capture": "authorised", "void": "authorised", "refund": "captured"}
BECOMES = {"authorise": "authorised", "capture": "captured", "void": "voided", "refund": "refunded"}


@dataclass
class Refusal(Exception):
    """An answer that is no payment."""

    status: int
    error: str


@dataclass(frozen=True)
class Whims:
    """What a token asks for."""

    words: frozenset[str]
    slow_ms: int
    failures: int

    @classmethod
    def of(cls, token: str) -> "Whims":
        def number(name: str) -> int:
            found = re.search(rf"(?:^|-){name}(\d+)(?:-|$)", token)
            return int(found.group(1)) if found else 0

        words = frozenset(token.split("-"))
        return cls(words, min(number("slow"), SLOW_MS_MAX), number("failcapture"))


@dataclass
class Answer:
    """What to say, and how."""

    payment: Json
    slow_ms: int = 0
    lost: bool = False


@dataclass
class Provider:
    """The payments, in a file. One writer at a time."""

    file: Path
    down: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        with self._transaction() as db:
            db.executescript(TABLES)

    def take(self, verb: str, body: Json) -> Answer:
        """Carry out one request and say what to answer. Raises Refusal."""
        key = str(body.get("key", ""))
        if not key:
            raise Refusal(400, "no key")
        with self._transaction() as db:
            payment = self._payment(db, key)
            if verb == "find":
                if payment is None:
                    raise Refusal(404, "unknown")
                return Answer(payment)
            self._remember(db, key, verb, body)
            whims = Whims.of(str(payment["token"] if payment else body.get("token", "")))
            if verb == "capture" and self._fails(db, key, whims):
                raise Refusal(500, "it broke")
            payment = self._act(db, verb, key, body, payment, whims)
            lost = f"lost{verb}" in whims.words and self._first(db, key, f"lost {verb}")
        slow = whims.slow_ms if verb in ("authorise", "capture") else 0
        return Answer(payment, slow, lost)

    def effects(self, key: str) -> list[str]:
        """What was really done under a key, in order."""
        with self._transaction() as db:
            rows = db.execute("SELECT what FROM effect WHERE key = ? ORDER BY seq", (key,))
            return [row[0] for row in rows]

    def _act(
        self,
        db: sqlite3.Connection,
        verb: str,
        key: str,
        body: Json,
        was: Json | None,
        whims: Whims,
    ) -> Json:
        """The payment as it is afterwards. What is done already, or cannot be, changes nothing."""
        if verb == "authorise" and was is None:
            state = "declined" if "declined" in whims.words else "authorised"
            amount, currency = int(body["amount_minor"]), str(body["currency"])
            db.execute(
                "INSERT INTO payment (key, state, amount_minor, currency, token, reason)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    *(key, state, amount, currency, str(body["token"])),
                    "insufficient_funds" if state == "declined" else "",
                ),
            )
            self._effect(db, key, state, amount)
        elif verb == "void" and was is None:  # what comes later finds this
            db.execute("INSERT INTO payment VALUES (?, 'voided', 0, 'XXX', '', '')", (key,))
            self._effect(db, key, "voided", 0)
        elif was is None:
            raise Refusal(404, "unknown")
        elif was["state"] == AFTER.get(verb):
            declined = verb == "capture" and "capturedeclined" in whims.words
            state = "declined" if declined else BECOMES[verb]
            reason = "expired_card" if declined else ""
            db.execute(
                "UPDATE payment SET state = ?, reason = ? WHERE key = ?", (state, reason, key)
            )
            self._effect(db, key, state, was["amount_minor"])
        found = self._payment(db, key)
        assert found is not None, "it has just been read or written"
        return found

    def _fails(self, db: sqlite3.Connection, key: str, whims: Whims) -> bool:
        return any(self._first(db, key, f"failure {number}") for number in range(whims.failures))

    @staticmethod
    def _first(db: sqlite3.Connection, key: str, what: str) -> bool:
        done = db.execute("INSERT OR IGNORE INTO once (key, what) VALUES (?, ?)", (key, what))
        return done.rowcount == 1

    @staticmethod
    def _effect(db: sqlite3.Connection, key: str, what: str, amount: int) -> None:
        db.execute(
            "INSERT INTO effect (key, what, amount_minor) VALUES (?, ?, ?)", (key, what, amount)
        )

    @staticmethod
    def _payment(db: sqlite3.Connection, key: str) -> Json | None:
        row = db.execute(
            "SELECT key, state, amount_minor, currency, token, reason FROM payment WHERE key = ?",
            (key,),
        ).fetchone()
        return dict(row) if row else None

    @staticmethod
    def _remember(db: sqlite3.Connection, key: str, verb: str, body: Json) -> None:
        """One verb and key mean one input for ever."""
        text = json.dumps(body, sort_keys=True)
        digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        known = db.execute(
            "SELECT 1 FROM request WHERE key = ? AND verb = ? AND digest <> ?", (key, verb, digest)
        )
        if known.fetchone():
            raise Refusal(409, "the key came with another input before")
        db.execute("INSERT INTO request (key, verb, digest) VALUES (?, ?, ?)", (key, verb, digest))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Durable when it ends; a refusal of 500 keeps what was counted too."""
        with self.lock:
            db = sqlite3.connect(self.file, timeout=LOCK_TIMEOUT_S)
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            try:
                try:
                    yield db
                finally:
                    db.commit()
            finally:
                db.close()


class Door(BaseHTTPRequestHandler):
    """HTTP/1.1, one thread a connection."""

    protocol_version = "HTTP/1.1"
    timeout = SOCKET_TIMEOUT_S
    provider: Provider

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self._say(200, {"status": "ok"})
        elif self.path.startswith("/effects/"):
            self._say(200, {"effects": self.provider.effects(self.path.rpartition("/")[2])})
        else:
            self._say(404, {"error": "no such path"})

    def do_POST(self) -> None:
        try:
            body = self._body()
            if self.path == "/rules":
                self.provider.down = bool(body.get("down"))
                self._say(200, {"down": self.provider.down})
                return
            if self.provider.down:
                raise Refusal(503, "down")
            verb = self.path.removeprefix("/payments/")
            if verb not in (*BECOMES, "find"):
                raise Refusal(404, "no such path")
            answer = self.provider.take(verb, body)
        except Refusal as refusal:
            self._say(refusal.status, {"error": refusal.error})
            return
        except (KeyError, ValueError) as error:
            self._say(400, {"error": f"{type(error).__name__}: {error}"})
            return
        time.sleep(answer.slow_ms / 1000)  # a whim of the token
        if answer.lost:
            self.close_connection = True
            return
        self._say(200, {name: value for name, value in answer.payment.items() if name != "token"})

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the file has every request."""

    def _body(self) -> Json:
        length = int(self.headers.get("content-length") or 0)
        if length > BODY_BYTES_MAX:
            raise Refusal(413, "too large")
        body = json.loads(self.rfile.read(length) or b"{}")
        if not isinstance(body, dict):
            raise Refusal(400, "no JSON object")
        return body

    def _say(self, status: int, answer: Json) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main() -> None:
    parser = argparse.ArgumentParser(description="a payment provider that moves no money")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    Door.provider = Provider(given.folder / "payments.db")
    server = ThreadingHTTPServer((given.host, given.port), Door)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
