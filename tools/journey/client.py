"""A client of the gateway, as anybody could write it: httpx, websockets, and nothing of ours."""

import asyncio
import hashlib
import json
import os
import uuid
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

Json = dict[str, Any]  # what the gateway says

REQUEST_S = 30.0
WATCH_S = 60.0
TRANSPORT = Subprotocol("graphql-transport-ws")


class Failed(Exception):
    """The platform did not do what it promises. The text says what, in one line."""


def default_gateway() -> str:
    """`GATEWAY_URL`, else the gateway of the local stack."""
    port = os.environ.get("BASALT_PORT_BASE", "7400")
    return os.environ.get("GATEWAY_URL", f"http://127.0.0.1:{port}")


def demand(condition: object, what: str) -> None:
    """Failed, unless the condition holds."""
    if not condition:
        raise Failed(what)


def fresh_key() -> str:
    """An idempotency key."""
    return uuid.uuid4().hex


class Client:
    """Asks as one user; `token` is empty until it has logged in."""

    def __init__(self, gateway: str) -> None:
        self.gateway = gateway.rstrip("/")
        self.token = ""
        self.trace_id = ""  # of the last GraphQL answer
        self._http = httpx.AsyncClient(
            base_url=self.gateway, timeout=REQUEST_S, trust_env=False, follow_redirects=False
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    @property
    def headers(self) -> dict[str, str]:
        """Who asks."""
        return {"authorization": f"Bearer {self.token}"} if self.token else {}

    async def ask(self, document: str, **variables: Any) -> Json:
        """The `data` of a query or mutation. Failed on any error."""
        result = await self.result(document, **variables)
        if result.get("errors"):
            raise Failed(f"{result['errors'][0]['message']} {json.dumps(result['errors'])[:600]}")
        data: Json = result["data"]
        return data

    async def result(self, document: str, **variables: Any) -> Json:
        """The whole response, errors included."""
        response = await self._http.post(
            "/graphql", json={"query": document, "variables": variables}, headers=self.headers
        )
        demand(response.status_code == 200, f"/graphql answered {response.status_code}")
        found: Json = response.json()
        self.trace_id = found["extensions"]["traceId"]
        return found

    async def do(self, document: str, **given: Any) -> Json:
        """A mutation: its one result. The input gets an idempotency key unless it has one."""
        given.setdefault("idempotencyKey", fresh_key())
        data = await self.ask(document, input=given)
        (answer,) = data.values()
        found: Json = answer
        return found

    async def done(self, document: str, typename: str, **given: Any) -> Json:
        """`do`, and the result is of this type. Failed with the refusal otherwise."""
        answer = await self.do(document, **given)
        demand(answer["__typename"] == typename, f"wanted {typename}, got {answer}")
        return answer

    async def upload(self, path: str, archive: bytes, *, status: int = 202, **params: str) -> Json:
        """POST a zip. Failed unless it is accepted, which is told by `status`."""
        response = await self._http.post(
            path,
            content=archive,
            params=params,
            headers={
                **self.headers,
                "content-type": "application/zip",
                "idempotency-key": fresh_key(),
            },
        )
        demand(
            response.status_code == status,
            f"{path} answered {response.status_code}: {response.text}",
        )
        found: Json = response.json()
        return found

    async def fetch(self, path: str, **headers: str) -> httpx.Response:
        """GET a path of the gateway."""
        return await self._http.get(path, headers={**self.headers, **headers})

    async def fetch_as_stranger(self, path: str) -> httpx.Response:
        """GET a path of the gateway without saying who asks."""
        return await self._http.get(path)

    async def watch(self, document: str, **variables: Any) -> AsyncIterator[Json]:
        """The results of a subscription until it completes. Failed on an error or after WATCH_S."""
        parts = urlsplit(self.gateway)
        scheme = "wss" if parts.scheme == "https" else "ws"
        url = urlunsplit((scheme, parts.netloc, "/graphql", "", ""))
        async with asyncio.timeout(WATCH_S), connect(url, subprotocols=[TRANSPORT]) as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": self.headers}))
            demand(json.loads(await socket.recv())["type"] == "connection_ack", "no connection_ack")
            payload = {"query": document, "variables": variables}
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            while True:
                message = json.loads(await socket.recv())
                if message["type"] == "complete":
                    return
                demand(
                    message["type"] == "next" and not message["payload"].get("errors"),
                    f"the subscription failed: {json.dumps(message)[:600]}",
                )
                yield message["payload"]["data"]


def digest(body: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(body).hexdigest()
