"""Who a tool is, and which workspace it works in: given, or made for this run and shown."""

import os
import secrets

from tools.journey.client import Client, demand, fresh_key
from tools.journey.documents import CREATE_WORKSPACE, LOG_IN, REGISTER
from tools.journey.story import Story

MINE = "{ workspaces { id name } }"


async def somewhere(client: Client, workspace: str) -> str:
    """Log the client in; the global id of its workspace.

    BASALT_TOKEN, or BASALT_EMAIL and BASALT_PASSWORD, say who; `workspace` may be empty for who
    has only one. Without them a new user with a new workspace is made, and shown. Raises Failed.
    """
    client.token = os.environ.get("BASALT_TOKEN", "")
    email, password = os.environ.get("BASALT_EMAIL", ""), os.environ.get("BASALT_PASSWORD", "")
    if not client.token and not email:
        return await _new(client)
    if not client.token:
        demand(password, "with BASALT_EMAIL, give BASALT_PASSWORD")
        session = await client.done(LOG_IN, "SessionOpened", email=email, password=password)
        client.token = session["token"]
    if workspace:
        return workspace
    mine = (await client.ask(MINE))["workspaces"]
    names = ", ".join(f"{one['name']} {one['id']}" for one in mine)
    demand(len(mine) == 1, f"say which workspace (--workspace): {names or 'there is none'}")
    return str(mine[0]["id"])


async def _new(client: Client) -> str:
    email, password = f"import-{fresh_key()[:12]}@example.com", secrets.token_urlsafe(12)
    await client.done(REGISTER, "UserRegistered", email=email, password=password)
    session = await client.done(LOG_IN, "SessionOpened", email=email, password=password)
    client.token = session["token"]
    made = await client.done(CREATE_WORKSPACE, "Operation", workspaceName="Imports")
    await Story(client, b"").ended(made["id"])
    print(f"  user {email}, password {password}\n  workspace {made['workspaceId']}", flush=True)
    return str(made["workspaceId"])
