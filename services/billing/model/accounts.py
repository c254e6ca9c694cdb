"""Accounts and plans: the rules of what a workspace may consume."""

from dataclasses import dataclass, field
from datetime import datetime
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
from contracts.billing.plan_change import PlanChangeUnderWay
from services.billing.model.plans import PLANS


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
    """A workspace's plan, its reservations and the apps that it has live.

    paid_until: the end of the month that the plan is paid for. credit: what is kept for the
    workspace, by currency, in minor units. change_id: the change of plan that is open, and
    releases_held the limit that it keeps to meanwhile.
    """

    workspace_id: UUID
    plan: Plan = Plan.FREE
    state: AccountState = AccountState.OPEN
    reservations: dict[UUID, Reservation] = field(default_factory=dict)
    apps: dict[UUID, Consumption] = field(default_factory=dict)
    paid_until: datetime | None = None
    credit: dict[str, int] = field(default_factory=dict)
    change_id: UUID | None = None
    releases_held: int | None = None

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
        held = self.limits.releases_max if self.releases_held is None else self.releases_held
        return max(0, min(held, self.limits.releases_max) - self.units_used)

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

    def begin_change(self, change_id: UUID, plan: Plan) -> None:
        """Let a change of plan begin, and keep to its limit. Refused below what is in use."""
        self._demand_open()
        if self.change_id not in (None, change_id):
            raise Rejected(
                PlanChangeUnderWay(workspace_id=self.workspace_id, change_id=self.change_id)
            )
        releases_max = PLANS[plan].releases_max
        if self.units_used > releases_max:
            raise Rejected(
                PlanTooSmall(
                    workspace_id=self.workspace_id,
                    plan=plan,
                    units_used=self.units_used,
                    releases_max=releases_max,
                )
            )
        self.change_id, self.releases_held = change_id, releases_max

    def end_change(self, change_id: UUID) -> bool:
        """No change is under way any more. False: it was not this one."""
        if self.change_id != change_id:
            return False
        self.change_id = self.releases_held = None
        return True

    def subscribe(self, plan: Plan, paid_until: datetime) -> None:
        """The plan from now on, paid until then."""
        self.plan, self.paid_until = plan, paid_until

    def take_credit(self, currency: str, amount_minor: int) -> None:
        """Use what is kept for the workspace; a negative amount adds to it."""
        left = self.credit.get(currency, 0) - amount_minor
        assert left >= 0, "nobody uses credit that is not there"
        self.credit[currency] = left

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
