"""A user of the platform, who does what the golden journey does, and several things at once."""

import asyncio
from typing import Any

from tests.samples.shop import shop_zip
from tools.journey import golden
from tools.journey.client import Client, Failed, fresh_key
from tools.journey.documents import CREATE_APP
from tools.journey.story import Story

ENDED_TIMEOUT_S = 90.0
RETRY_PAUSE_S = 0.2
Json = dict[str, Any]  # what the gateway says


class Traveller:
    """Their client keeps asking while a part of the platform is away, as a browser would."""

    def __init__(self, gateway: str) -> None:
        self.client = Client(gateway)
        self.story = Story(self.client, shop_zip(copies=1))

    async def close(self) -> None:
        await self.client.close()

    async def settle(self) -> None:
        """Register, make a workspace, import the sample app."""
        await golden.register(self.story)
        await golden.make_workspace(self.story)
        await golden.import_app(self.story)

    async def new_app(self) -> str:
        """One more app."""
        wanted = {
            "workspaceId": self.story.workspace_id,
            "appName": f"App {fresh_key()[:6]}",
            "idempotencyKey": fresh_key(),
        }
        created = await self.insist(self.client.done, CREATE_APP, "AppCreated", **wanted)
        return str(created["appId"])

    async def publish(self, app_id: str = "") -> str:
        """Begin a publish, once however often it is asked for; its operation."""
        started = await self.insist(self.story.publish, app_id, idempotencyKey=fresh_key())
        return str(started)

    async def ended(self, operation_id: str) -> Json:
        """Ask until it has ended, whatever fails meanwhile. AssertionError after a while."""
        last: Json = {}
        try:
            async with asyncio.timeout(ENDED_TIMEOUT_S):
                while not last.get("finished"):
                    await asyncio.sleep(RETRY_PAUSE_S if last else 0)
                    found = await self.insist(self.client.ask, OPERATION, id=operation_id)
                    last = found["operation"]
        except TimeoutError:
            raise AssertionError(f"the operation did not end: {last}") from None
        return last

    async def insist(self, ask: Any, *args: Any, **given: Any) -> Any:  # any call of the client
        """Again while it fails, for as long as an operation may take."""
        failure: Exception | None = None
        try:
            async with asyncio.timeout(ENDED_TIMEOUT_S):
                while True:
                    try:
                        return await ask(*args, **given)
                    except (Failed, OSError, *HTTP_FAILURES) as error:
                        failure = error
                    await asyncio.sleep(RETRY_PAUSE_S)
        except TimeoutError:
            raise AssertionError(f"it kept failing: {failure}") from None


def _http_failures() -> tuple[type[Exception], ...]:
    import httpx

    return (httpx.HTTPError,)


HTTP_FAILURES = _http_failures()
OPERATION = """
query Operation($id: ID!) {
  operation(id: $id) { id state finished steps { name state } error { __typename code message } }
}
"""
