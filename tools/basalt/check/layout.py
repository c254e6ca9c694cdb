"""What the checker knows of the platform: topics, tables, who handles what.

Written down a second time on purpose. `tests/tools/check/test_layout.py` compares it with what the
services declare, so that it cannot fall behind unnoticed.
"""

from dataclasses import dataclass

SERVICES = ("identity", "studio", "billing", "delivery", "activity", "orchestrator")
"""Those that have a database."""

REPLIES = "reply.orchestrator.v1"


@dataclass(frozen=True)
class Announced:
    """An aggregate whose row counts the events that it announced: column `version`.

    mortal: its row may be deleted while its events stay.
    """

    service: str
    table: str
    topic: str
    mortal: bool = False


AGGREGATES = (
    Announced("identity", "registered_user", "identity.user.v1"),
    Announced("identity", "workspace", "identity.workspace.v1"),
    Announced("identity", "session", "identity.session.v1", mortal=True),
    Announced("billing", "account", "billing.account.v1"),
    Announced("studio", "app", "studio.app.v1", mortal=True),
    Announced("delivery", "app", "delivery.release.v1"),
)
SAGA_TOPIC = "orchestrator.saga.v1"
"""Keyed by saga id; the saga's row counts its facts in its state."""


@dataclass(frozen=True)
class Group:
    """A consumer group: the inbox that it writes, and the event types that it handles.

    `commands`: it handles every record of this command topic. `all_of`: every record of these.
    """

    name: str
    service: str
    inbox: str
    events: tuple[str, ...] = ()
    commands: str = ""
    all_facts: bool = False
    replies: bool = False


GROUPS = (
    Group("identity", "identity", "identity", ("billing.EntitlementsChanged.v1",), "identity"),
    Group("studio", "studio", "studio", ("billing.EntitlementsChanged.v1",), "studio"),
    Group("billing", "billing", "billing", ("delivery.AppUnpublished.v1",), "billing"),
    Group("delivery", "delivery", "delivery", ("studio.AppDeleted.v1",), "delivery"),
    Group("activity", "activity", "activity", all_facts=True),
    Group("orchestrator", "orchestrator", "orchestrator", commands="orchestrator"),
    Group("orchestrator-replies", "orchestrator", "orchestrator", replies=True),
)

ONCE: dict[str, tuple[str, ...]] = {
    "identity.UserRegistered.v1": ("user_id",),
    "identity.WorkspaceCreated.v1": ("workspace_id",),
    "identity.WorkspaceActivated.v1": ("workspace_id",),
    "identity.WorkspaceDeleted.v1": ("workspace_id",),
    "billing.AccountOpened.v1": ("workspace_id",),
    "billing.AccountClosed.v1": ("workspace_id",),
    "billing.QuotaReserved.v1": ("reservation_id",),
    "billing.QuotaReleased.v1": ("reservation_id",),
    "billing.QuotaCommitted.v1": ("reservation_id",),
    "studio.RevisionFrozen.v1": ("release_id",),
    "studio.RevisionUnfrozen.v1": ("release_id",),
    "studio.RevisionTagged.v1": ("release_id",),
    "delivery.ReleaseStaged.v1": ("release_id",),
    "delivery.ReleaseAbandoned.v1": ("release_id",),
    "delivery.ReleasePublished.v1": ("release_id",),
}
"""Facts that happen once for the thing that these fields name; twice is a doubled effect."""

APP_TOPICS = ("studio.app.v1", "delivery.release.v1")
"""Keyed by app id: the app's workspace owns their records."""

WORKSPACE_TOPICS = ("billing.account.v1", "identity.workspace.v1")
"""Keyed by workspace id."""

LOCKS = {
    "publish_app": ("app_id",),
    "onboard_workspace": ("workspace_id",),
    "change_plan": ("workspace_id",),
}
"""Which fields of its data a saga locks, by its type. The key of a lock is `field:value`."""

ENDED = ("COMPLETED", "COMPENSATED", "ABANDONED")
RESTING = ("NEEDS_ATTENTION", "PAUSED", "WAITING_SIGNAL")
"""States in which a saga waits for a person: told, and no fault."""


def is_fact_topic(name: str) -> bool:
    """Whether public events are on it."""
    return name.endswith(".v1") and not name.startswith(("cmd.", "reply.", "dlq."))


def is_ours(name: str) -> bool:
    """Whether the checker reads this topic."""
    return is_fact_topic(name) or name.startswith(("cmd.", "dlq.")) or name == REPLIES
