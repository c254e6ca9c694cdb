"""What a commit says, made fit for a revision: nothing in a stranger's history stops an import."""

from datetime import UTC, datetime, timedelta

import pytest

from tools.history.commits import Commit, parse_commit

NAME, TREE = "c" * 40, "d" * 40


def parsed(person: bytes, body: bytes = b"subject\n", *headers: bytes) -> Commit:
    lines = [f"tree {TREE}".encode(), b"parent " + b"a" * 40, b"author " + person]
    return parse_commit(NAME, b"\n".join([*lines, b"committer C <c> 5 +0000", *headers, b"", body]))


def test_author_time_and_message_are_the_commits() -> None:
    commit = parsed("อนุวัต <a@example.com> 1669885250 +0730".encode(), b"one\r\n\n\ttwo\n")

    assert (commit.name, commit.tree, commit.author_name) == (NAME, TREE, "อนุวัต")
    assert commit.authored_at == datetime(2022, 12, 1, 9, 0, 50, tzinfo=UTC)
    assert commit.authored_at.utcoffset() == timedelta(hours=7, minutes=30)
    assert (commit.message, commit.subject) == ("one\n\n\ttwo", "one")


def test_an_offset_to_the_west_is_before_utc() -> None:
    commit = parsed(b"A <a> 1669885250 -0430")

    assert commit.authored_at.utcoffset() == -timedelta(hours=4, minutes=30)


@pytest.mark.parametrize(
    ("person", "name"),
    [
        (b"<a@example.com> 5 +0000", "unknown"),
        (b" <> 5 +0000", "unknown"),
        ("A\u202eB\u200bC <a> 5 +0000".encode(), "A B C"),
        (b"A\x07B <a> 5 +0000", "A B"),
        ("\u2060\u2060 <a> 5 +0000".encode(), "unknown"),
        (b"x" * 300 + b" <a> 5 +0000", "x" * 200),
        (b"no address at all", "unknown"),
    ],
)
def test_a_name_is_one_that_the_gateway_takes(person: bytes, name: str) -> None:
    assert parsed(person).author_name == name


@pytest.mark.parametrize(
    ("at", "year"),
    [
        (b"0 +0000", 1970),
        (b"-86400 +0000", 1969),
        (b"5 +9999", 1970),
        (b"99999999999999999 +0000", 9999),
        (b"-99999999999999999 +0000", 1),
        (b"", 1970),
    ],
)
def test_an_impossible_time_becomes_a_possible_one(at: bytes, year: int) -> None:
    assert parsed(b"A <a> " + at).authored_at.year == year


def test_a_message_is_plain_and_bounded() -> None:
    assert parsed(b"A <a> 5 +0000", b"a\x00b\x1b[31m").message == "a\ufffdb\ufffd[31m"
    long = parsed(b"A <a> 5 +0000", b"x" * 20_000).message
    assert (len(long), long[-1]) == (10_000, "…")
    assert parsed(b"A <a> 5 +0000", b"").message == ""


def test_another_encoding_is_read_as_it_says_and_an_unknown_one_as_utf8() -> None:
    latin = parsed("Zoë <z> 5 +0000".encode("latin-1"), b"\xe9t\xe9", b"encoding ISO-8859-1")
    odd = parsed("Zoë <z> 5 +0000".encode(), b"x", b"encoding klingon")

    assert (latin.author_name, latin.message) == ("Zoë", "été")
    assert odd.author_name == "Zoë"
