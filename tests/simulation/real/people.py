"""The people of a simulated platform: who they are, what they start, what they do besides."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import SecretStr

from chassis.clock import new_id
from chassis.saga import Saga
from chassis.testing.simulation.checker import json_of
from chassis.testing.simulation.clock import elapse
from chassis.testing.simulation.world import CLIENTS
from contracts.base import Message
from contracts.billing.account import Plan
from contracts.delivery.environment import Environment
from contracts.delivery.release import RollBack, UnpublishApp
from contracts.identity.user import Register
from contracts.identity.workspace import RenameWorkspace
from contracts.orchestrator.onboarding import OnboardWorkspace
from contracts.orchestrator.plan import ChangeWorkspacePlan
from contracts.orchestrator.publishing import PublishApp
from contracts.studio.app import (
    ArchiveApp,
    CreateApp,
    DeleteApp,
    RenameApp,
    RestoreApp,
)
from sagas.onboard_workspace import onboard_workspace
from tests.simulation.real.editors import Editors

if TYPE_CHECKING:
    from tests.simulation.real.world import RealWorld

KEYS_EACH = 3
EDITS = 8
"""As likely as all other meddling together."""
BUSY = 0.7
LOOK_S = 0.5
TOKENS = (
    *["tok-ok"] * 6,
    *("tok-declined", "tok-capturedeclined", "tok-lostauthorise", "tok-failcapture2"),
    *["tok-lostcapture"] * 2,
)
ANEW = 0.85
"""How often somebody onboards a new workspace, and not one that is there."""

Act = Callable[[], tuple[Message, str]]
Row = dict[str, Any]  # a table's row by column


class People:
    """They know what they see: what they ask for is read from the simulated stores."""

    def __init__(self, world: "RealWorld") -> None:
        self._world = world
        self.owner_id = UUID(int=0)
        self._apps: list[tuple[UUID, UUID]] = []  # workspace, app
        self._workspaces: list[UUID] = []
        self._editors = Editors(world)

    async def settle_in(self) -> None:
        """A user, and some workspaces with two apps each."""
        await self._send(Register(email="ada@example.org", password=SecretStr(_WORD)), "identity")
        (user,) = self._world.rows("identity", "registered_user")
        self.owner_id = user["id"]
        wanted, number = max(2, self._world.scenario.keys // KEYS_EACH), 0
        while len(self._workspaces) < wanted:
            number += 1
            await self._workspace(number)

    async def _workspace(self, number: int) -> None:
        """By a saga of its own, which may be refused."""
        workspace_id, app_id = UUID(int=0xB << 96 | number), new_id()
        actor_id = UUID(int=CLIENTS << 64 | 1 << 32 | number)
        self._world.started[actor_id] = onboard_workspace
        onboard = OnboardWorkspace(
            workspace_id=workspace_id, owner_id=self.owner_id, workspace_name="Ours"
        )
        await self._world.send(onboard, new_id(), actor_id)
        while not (saga := self._saga_of(actor_id))["ended"]:
            await elapse(LOOK_S)
        if saga["status"] != "COMPLETED":
            return
        second = CreateApp(workspace_id=workspace_id, app_id=app_id, app_name="Second")
        await self._send(second, "studio")
        self._workspaces.append(workspace_id)
        self._apps += [(workspace_id, UUID(saga["app_id"])), (workspace_id, app_id)]

    def _saga_of(self, actor_id: UUID) -> Row:
        for row in self._world.rows("orchestrator", "saga_instance"):
            state = json_of(row["state"])
            if state["actor_id"] == str(actor_id):
                ended = row["next_wake_at"] is None
                return {**state["data"], "status": row["status"], "ended": ended}
        return {"ended": False}

    async def _send(self, command: Message, service: str) -> None:
        await self._world.send(command, new_id(), self.owner_id, service)

    # --- sagas

    def start_of(self, saga: Saga) -> Message:
        """A starting command of somebody who has looked."""
        return {
            PublishApp: self._publish,
            OnboardWorkspace: self._onboard,
            ChangeWorkspacePlan: self._change_plan,
        }[saga.starts_on]()

    def _publish(self) -> Message:
        dice = self._world.dice
        workspace_id, app_id = dice.choice(self._apps)
        environment = dice.choice(list(Environment))
        heads = [r for r in self._world.rows("studio", "app_revision") if r["app_id"] == app_id]
        return PublishApp(
            workspace_id=workspace_id,
            app_id=app_id,
            revision_id=dice.choice(heads)["id"] if heads else new_id(),
            environment=environment,
            previous_release_id=self._live(app_id, environment),
            approval_required=dice.random() < 0.1,
        )

    def _onboard(self) -> Message:
        dice = self._world.dice
        known = self._world.rows("identity", "workspace")
        workspace_id = new_id() if dice.random() < ANEW else dice.choice(known)["id"]
        return OnboardWorkspace(
            workspace_id=workspace_id, owner_id=self.owner_id, workspace_name="Ours"
        )

    def _change_plan(self) -> Message:
        dice = self._world.dice
        return ChangeWorkspacePlan(
            workspace_id=dice.choice(self._workspaces),
            plan=dice.choice(list(Plan)),
            payment_token=dice.choice(TOKENS),
        )

    def _live(self, app_id: UUID, environment: Environment) -> UUID | None:
        for row in self._world.rows("delivery", "app"):
            if row["id"] == app_id:
                pointer = json_of(row["state"])["pointers"].get(environment.value)
                return UUID(pointer["release_id"]) if pointer else None
        return None

    # --- besides

    def meddling(self) -> tuple[Message, str]:
        """A change that no saga knows of, and the service that takes it."""
        dice = self._world.dice
        workspace_id, app_id = dice.choice(self._apps)
        environment = dice.choice(list(Environment))
        about: dict[str, Any] = {"workspace_id": workspace_id, "app_id": app_id}
        name = f"Name {dice.getrandbits(16)}"
        acts: tuple[Act, ...] = (
            lambda: (UnpublishApp(environment=environment, **about), "delivery"),
            lambda: (self._roll_back(environment, about), "delivery"),
            lambda: (RenameApp(app_name=name, **about), "studio"),
            lambda: (ArchiveApp(**about), "studio"),
            lambda: (RestoreApp(**about), "studio"),
            lambda: (RestoreApp(**about), "studio"),
            lambda: (DeleteApp(**about), "studio"),
            lambda: (RenameWorkspace(workspace_id=workspace_id, workspace_name=name), "identity"),
            *[lambda: (self._editors.edit(self._busy(about)), "studio")] * EDITS,
        )
        return dice.choice(acts)()

    def _busy(self, about: dict[str, Any]) -> dict[str, Any]:
        """Most edits are of one app, so that they meet."""
        workspace_id, app_id = self._apps[0]
        busy = self._world.dice.random() < BUSY
        return {"workspace_id": workspace_id, "app_id": app_id} if busy else about

    def _roll_back(self, environment: Environment, about: dict[str, Any]) -> Message:
        releases = [
            row["id"]
            for row in self._world.rows("delivery", "release")
            if row["app_id"] == about["app_id"] and row["standing"] == "superseded"
        ]
        live = self._live(about["app_id"], environment)
        if not releases or live is None:
            return UnpublishApp(environment=environment, **about)
        return RollBack(
            environment=environment,
            to_release_id=self._world.dice.choice(releases),
            expected_live_release_id=live,
            **about,
        )


_WORD = "a long enough word of seven syllables"
