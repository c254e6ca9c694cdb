"""The HTTP door: what it lets in, and how each outcome looks outside."""

import pytest

from chassis.clock import new_id
from chassis.context import Context, sign
from chassis.errors import (
    Conflict,
    IdempotencyKeyReused,
    Rejected,
    Unanswered,
    Unavailable,
)
from chassis.resilience.deadline import now_ms
from tests.chassis.doors.doorway import (
    CLOCK,
    WORKSPACE,
    Doorway,
    FakeExecute,
    a_context,
    a_count,
    counted,
)
from tests.chassis.toy.contracts.toy.counter import TooHigh


async def test_a_command_is_carried_out_and_answered_by_type() -> None:
    execute = FakeExecute(counted)
    command_id = new_id()
    body = a_count(by=3)

    response = await Doorway(execute).post(
        "/commands/Count", body, headers={"basalt-command-id": str(command_id)}
    )

    assert response.status_code == 200
    expected = {"workspace_id": str(WORKSPACE), "counter_id": body["counter_id"], "value": 3}
    assert response.json() == {"type": "toy.Counted.v1", "data": expected}
    assert execute.seen[0][2] == command_id


async def test_a_query_is_answered() -> None:
    context = a_context("workspace.read")

    response = await Doorway(FakeExecute(counted)).post(
        "/queries/GetCounter", a_count(), context=context
    )

    assert response.json() == {"type": "toy.Reading.v1", "data": {"value": 7}}


class TestWhoMayEnter:
    async def test_without_a_context_nobody(self) -> None:
        response = await Doorway(FakeExecute(counted)).post(
            "/commands/Count", a_count(), without="basalt-context"
        )

        assert (response.status_code, response.json()["type"]) == (401, "forbidden")

    @pytest.mark.parametrize(
        "context",
        [
            a_context(permission="workspace.read"),
            a_context(permission=""),
            a_context(workspace_id=new_id()),
            a_context(workspace_id=None),
            a_context(seconds=-1),
        ],
        ids=["other permission", "no permission", "other workspace", "no workspace", "expired"],
    )
    async def test_another_right_is_no_right(self, context: Context) -> None:
        execute = FakeExecute(counted)

        response = await Doorway(execute).post("/commands/Count", a_count(), context=context)

        assert (response.status_code, response.json()["type"]) == (403, "forbidden")
        assert execute.seen == []

    @pytest.mark.parametrize("text", ["", "x", "e30.e30", "a.b.c", "." * 50])
    async def test_a_forged_context_is_refused(self, text: str) -> None:
        response = await Doorway(FakeExecute(counted)).post(
            "/commands/Count", a_count(), headers={"basalt-context": text}
        )

        assert response.status_code in (401, 403)

    async def test_a_context_of_another_key_is_refused(self) -> None:
        forged = sign(a_context(), b"not the gateway's key at all")

        response = await Doorway(FakeExecute(counted)).post(
            "/commands/Count", a_count(), headers={"basalt-context": forged}
        )

        assert response.status_code == 403

    @pytest.mark.parametrize("path", ["/commands/CountQuietly", "/commands/Nope", "/queries/Count"])
    async def test_what_is_not_taken_is_not_found(self, path: str) -> None:
        response = await Doorway(FakeExecute(counted)).post(path, a_count())

        assert (response.status_code, response.json()["type"]) == (404, "unknown")


class TestWrongInput:
    async def test_each_wrong_field_is_named_without_its_value(self) -> None:
        response = await Doorway(FakeExecute(counted)).post(
            "/commands/Count", a_count(by=0, counter_id="my-secret")
        )

        assert (response.status_code, response.json()["type"]) == (400, "invalid")
        rules = {(e["field"], e["rule"]) for e in response.json()["errors"]}
        assert rules == {("by", "greater_than"), ("counter_id", "uuid_parsing")}
        assert "my-secret" not in response.text

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"{" * 9999])
    async def test_any_bytes_are_a_typed_error(self, body: bytes) -> None:
        response = await Doorway(FakeExecute(counted)).post("/commands/Count", body)

        assert (response.status_code, response.json()["type"]) == (400, "invalid")

    async def test_a_body_over_the_limit_is_not_read(self) -> None:
        doorway = Doorway(FakeExecute(counted), http_body_bytes_max=100)

        response = await doorway.post("/commands/Count", a_count(filler="x" * 200))

        assert response.json()["errors"][0]["rule"] == "body_too_large"

    @pytest.mark.parametrize("header", ["basalt-command-id", "basalt-deadline-ms"])
    async def test_a_wrong_header_is_named(self, header: str) -> None:
        response = await Doorway(FakeExecute(counted)).post(
            "/commands/Count", a_count(), headers={header: "soon"}
        )

        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == header


class TestFates:
    @pytest.mark.parametrize(
        ("error", "status", "kind"),
        [
            (Rejected(TooHigh(value_max=9)), 422, "toy.TooHigh.v1"),
            (Conflict("row"), 409, "conflict"),
            (IdempotencyKeyReused("id"), 409, "idempotency_key_reused"),
            (Unavailable("postgres"), 503, "unavailable"),
            (Unanswered("postgres"), 504, "deadline"),
            (RuntimeError("password=hunter2"), 500, "internal"),
        ],
    )
    async def test_each_fate_has_its_status(self, error: Exception, status: int, kind: str) -> None:
        response = await Doorway(FakeExecute(error)).post("/commands/Count", a_count())

        assert (response.status_code, response.json()["type"]) == (status, kind)
        assert "hunter2" not in response.text

    async def test_a_refusal_carries_its_fields(self) -> None:
        execute = FakeExecute(Rejected(TooHigh(value_max=9)))

        response = await Doorway(execute).post("/commands/Count", a_count())

        assert response.json()["data"] == {"value_max": 9}

    async def test_unavailable_says_when_to_come_back(self) -> None:
        execute = FakeExecute(Unavailable("postgres", retry_after=2.3))

        response = await Doorway(execute).post("/commands/Count", a_count())

        assert response.headers["retry-after"] == "3"

    async def test_the_deadline_of_the_caller_is_passed_on_within_the_limit(self) -> None:
        execute = FakeExecute(counted)
        soon, far = now_ms(CLOCK) + 5_000, now_ms(CLOCK) + 10**9

        for moment in (soon, far):
            headers = {"basalt-deadline-ms": str(moment)}
            await Doorway(execute).post("/commands/Count", a_count(), headers=headers)

        deadlines = [seen[3] for seen in execute.seen]
        assert deadlines[0] == soon
        assert deadlines[1] is not None
        assert deadlines[1] <= now_ms(CLOCK) + 60_000


async def test_readiness_gives_the_reason() -> None:
    doorway = Doorway(FakeExecute(counted))

    async def down() -> None:
        raise ConnectionError("nobody answers")

    ready = await doorway.http.get("/readyz")
    doorway.health.checks["postgres"] = down
    not_ready = await doorway.http.get("/readyz")
    alive = await doorway.http.get("/healthz")

    assert ready.status_code == 200
    assert not_ready.status_code == 503
    assert not_ready.json()["reasons"] == ["postgres: ConnectionError: nobody answers"]
    assert alive.status_code == 200


async def test_every_contract_is_in_the_openapi_document() -> None:
    document = (await Doorway(FakeExecute(counted)).http.get("/openapi.json")).json()

    operation = document["paths"]["/commands/Count"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Count"}
    assert "/queries/GetCounter" in document["paths"]
    assert document["components"]["schemas"]["Count"]["required"] == ["workspace_id", "counter_id"]


async def test_requests_are_counted_by_operation_and_outcome() -> None:
    doorway = Doorway(FakeExecute(counted))

    await doorway.post("/commands/Count", a_count())
    text = (await doorway.http.get("/metrics")).text

    assert 'basalt_requests_total{operation="Count",outcome="ok"}' in text
    assert 'basalt_request_seconds_bucket{le="0.005",operation="Count"}' in text
