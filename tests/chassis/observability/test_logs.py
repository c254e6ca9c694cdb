"""Log lines: JSON, with ids, without secrets."""

import io
import logging
from collections.abc import Iterator

import orjson
import pytest
import structlog

from chassis.clock import new_id
from chassis.observability.logs import bound, setup_logs
from chassis.observability.noise import RateLimit
from chassis.observability.tracing import server_span
from chassis.testing.clock import VirtualClock

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
PASSWORD = "correct horse battery staple"


class Lines:
    """What was written, one JSON object a line."""

    def __init__(self) -> None:
        self.out = io.BytesIO()
        setup_logs("toy", "debug", stream=self.out)
        self.log = structlog.get_logger()

    @property
    def text(self) -> str:
        return self.out.getvalue().decode()

    @property
    def last(self) -> dict[str, object]:
        line: dict[str, object] = orjson.loads(self.text.splitlines()[-1])
        return line


@pytest.fixture
def lines() -> Iterator[Lines]:
    handlers = logging.getLogger().handlers
    yield Lines()
    structlog.reset_defaults()
    logging.getLogger().handlers = handlers


def test_a_line_has_the_ids_of_what_is_being_done(lines: Lines) -> None:
    workspace_id, command_id = new_id(), new_id()

    with server_span("Count", TRACE), bound(workspace_id=workspace_id, command_id=command_id):
        lines.log.info("counted", units=3)

    assert lines.last["event"] == "counted"
    assert lines.last["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert lines.last["workspace_id"] == str(workspace_id)
    assert lines.last["command_id"] == str(command_id)
    assert (lines.last["service"], lines.last["level"]) == ("toy", "info")


def test_ids_end_with_their_block(lines: Lines) -> None:
    with bound(command_id=new_id()):
        pass
    lines.log.info("later")

    assert "command_id" not in lines.last


class TestSecrets:
    @pytest.mark.parametrize("name", ["password", "api_key", "session_token", "Authorization"])
    def test_a_value_of_a_secret_name_is_replaced(self, lines: Lines, name: str) -> None:
        lines.log.info("logged_in", **{name: PASSWORD})

        assert PASSWORD not in lines.text
        assert lines.last[name] == "[redacted]"

    def test_also_deep_inside(self, lines: Lines) -> None:
        lines.log.info("logged_in", request={"user": {"new_password": PASSWORD, "name": "Ada"}})

        assert PASSWORD not in lines.text
        assert "Ada" in lines.text

    @pytest.mark.parametrize(
        "text",
        [
            "connect to postgresql://billing:sw0rdfish@db:5432/billing failed",
            "header Authorization: Bearer sw0rdfish-abcdef",
            "body was {'password': 'sw0rdfish', 'name': 'Ada'}",
            'body was {"api_key": "sw0rdfish"}',
            "password=sw0rdfish",
        ],
    )
    def test_also_inside_text(self, lines: Lines, text: str) -> None:
        lines.log.warning("failed", reason=text)
        lines.log.warning(text)
        logging.getLogger("a.library").warning(text)

        assert "sw0rdfish" not in lines.text
        assert len(lines.text.splitlines()) == 3

    def test_also_in_a_traceback(self, lines: Lines) -> None:
        try:
            raise ValueError("password=sw0rdfish is wrong")
        except ValueError:
            lines.log.exception("failed")

        assert "sw0rdfish" not in lines.text
        assert "ValueError" in lines.text


class TestNoise:
    def test_a_template_is_let_through_a_few_times_a_minute(self) -> None:
        clock = VirtualClock()
        limit = RateLimit(clock, lines=2)

        passed = [limit.filter(a_record("offset %s", number)) for number in range(100)]
        other = limit.filter(a_record("something else"))

        assert sum(passed) == 2
        assert other

    async def test_afterwards_it_says_how_many_were_held_back(self) -> None:
        clock = VirtualClock()
        limit = RateLimit(clock, lines=2)
        for number in range(100):
            limit.filter(a_record("offset %s", number))

        await clock.pass_time(61)
        record = a_record("offset %s", 100)
        passed = limit.filter(record)

        assert passed
        assert record.getMessage() == "offset 100 (and 98 more like it)"


def a_record(template: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("aiokafka", logging.ERROR, "file", 1, template, args, None)
