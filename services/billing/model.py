"""Accounts and plans: the rules of what a workspace may consume."""

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from chassis.errors import Rejected
from contracts.billing.account import (
    AccountIsClosed,
    AccountState,
    AccountUnknown,
    Plan,
    PlanLimits,
    PlanTooSmall,
    QuotaExceeded,
)

PLANS = {
    limits.plan: limits
    for limits in (
        PlanLimits(plan=Plan.FREE, apps_max=5, releases_max=2, members_max=3),
        PlanLimits(plan=Plan.TEAM, apps_max=50, releases_max=20, members_max=25),
        PlanLimits(plan=Plan.BUSINESS, apps_max=1_000, releases_max=500, members_max=1_000),
    )
}
"""Every plan on offer, smallest first."""


@dataclass
class Reservation:
    """Units set aside for a publish under way."""

    app_id: UUID
    units: int


@dataclass
class Consumption:
    """What an app costs while it is live; 0 when it is not.

    `pointer_version` is the newest pointer move that is accounted for. It stays after the app is
    unpublished, so that a commit which arrives late does not count the app as live again.
    """

    units: int
    pointer_version: int


@dataclass
class Account:
    """A workspace's plan, its reservations and the apps that it has live."""

    workspace_id: UUID
    plan: Plan = Plan.FREE
    state: AccountState = AccountState.OPEN
    reservations: dict[UUID, Reservation] = field(default_factory=dict)
    apps: dict[UUID, Consumption] = field(default_factory=dict)

    @property
    def limits(self) -> PlanLimits:
        """What the account's plan allows."""
        return PLANS[self.plan]

    @property
    def units_live(self) -> int:
        """What the live apps cost."""
        return sum(app.units for app in self.apps.values())

    @property
    def units_used(self) -> int:
        """An app counts once, be it live, reserved for, or both."""
        used = {app_id: app.units for app_id, app in self.apps.items()}
        for held in self.reservations.values():
            used[held.app_id] = max(held.units, used.get(held.app_id, 0))
        return sum(used.values())

    @property
    def units_left(self) -> int:
        """What a new app could still take."""
        return max(0, self.limits.releases_max - self.units_used)

    @property
    def live_app_ids(self) -> list[UUID]:
        """The apps that cost something now."""
        return [app_id for app_id, app in self.apps.items() if app.units]

    def reserve(self, reservation_id: UUID, app_id: UUID, units: int) -> bool:
        """Hold units for an app. False: it is held already. Refused when the plan is too small."""
        assert units > 0, "the contract forbids an empty reservation"
        if reservation_id in self.reservations:
            return False
        self._demand_open()
        left, before = self.units_left, self.units_used
        self.reservations[reservation_id] = Reservation(app_id, units)
        if self.units_used - before > left:
            del self.reservations[reservation_id]
            raise Rejected(QuotaExceeded(workspace_id=self.workspace_id, units_left=left))
        return True

    def release(self, reservation_id: UUID) -> bool:
        """Drop a reservation. False: it is gone already, for compensations repeat."""
        return self.reservations.pop(reservation_id, None) is not None

    def commit(self, reservation_id: UUID, app_id: UUID, pointer_version: int) -> bool:
        """Turn a reservation into consumption. False: it is done already.

        The app is live whatever the reservation's fate, so nothing here refuses.
        """
        held = self.reservations.pop(reservation_id, None)
        app = self.apps.get(app_id)
        if app and app.pointer_version >= pointer_version:
            return held is not None
        units = max(held.units if held else 1, app.units if app else 0)
        self.apps[app_id] = Consumption(units, pointer_version)
        return True

    def free(self, app_id: UUID, pointer_version: int) -> int:
        """An app is live nowhere since that pointer move. The units that this gives back."""
        app = self.apps.get(app_id)
        if app and app.pointer_version >= pointer_version:
            return 0
        self.apps[app_id] = Consumption(0, pointer_version)
        return app.units if app else 0

    def change_plan(self, plan: Plan) -> bool:
        """Subscribe to another plan. False: it is the same. Refused below what is in use."""
        self._demand_open()
        limits = PLANS[plan]
        if self.units_used > limits.releases_max:
            raise Rejected(
                PlanTooSmall(
                    workspace_id=self.workspace_id,
                    plan=plan,
                    units_used=self.units_used,
                    releases_max=limits.releases_max,
                )
            )
        changed, self.plan = plan != self.plan, plan
        return changed

    def close(self) -> bool:
        """Shut the account for good. False: it is shut already."""
        changed = self.state != AccountState.CLOSED
        self.state = AccountState.CLOSED
        return changed

    def demand_reopenable(self) -> None:
        """A second opening of an open account is success, of a closed one a refusal."""
        if self.state == AccountState.CLOSED:
            raise Rejected(AccountIsClosed(workspace_id=self.workspace_id))

    def _demand_open(self) -> None:
        if self.state != AccountState.OPEN:
            raise Rejected(AccountUnknown(workspace_id=self.workspace_id))


class Accounts(Protocol):
    """Where accounts are kept, by workspace."""

    async def get(self, workspace_id: UUID) -> Account | None: ...

    def save(self, account: Account) -> None: ...


async def account_of(accounts: Accounts, workspace_id: UUID) -> Account:
    """The workspace's account. Rejected with AccountUnknown when there is none."""
    account = await accounts.get(workspace_id)
    if account is None:
        raise Rejected(AccountUnknown(workspace_id=workspace_id))
    return account
