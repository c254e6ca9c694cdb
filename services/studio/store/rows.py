"""The aggregates' rows."""

from uuid import UUID

from chassis.stores.aggregates import AggregateStore
from services.studio.model import App
from services.studio.model.revision import Revision
from services.studio.model.shelf import Shelf


class SqlApps(AggregateStore[App]):
    """Apps; their events are numbered here."""

    table = "app"
    aggregate = App
    announces = "app"
    columns = {  # noqa: RUF012  # a ClassVar of the base
        "lifecycle": ("text", lambda app: app.state),
        "app_name": ("text", lambda app: app.app_name),
        "created_at": ("timestamptz", lambda app: app.created_at),
    }

    @staticmethod
    def key(aggregate: App) -> UUID:
        return aggregate.app_id


class SqlRevisions(AggregateStore[Revision]):
    """Revisions by their own id."""

    table = "app_revision"
    aggregate = Revision
    key_field = "revision_id"
    columns = {  # noqa: RUF012  # a ClassVar of the base
        "app_id": ("uuid", lambda revision: revision.app_id),
        "number": ("integer", lambda revision: revision.number),
    }

    @staticmethod
    def key(aggregate: Revision) -> UUID:
        return aggregate.revision_id


class SqlShelves(AggregateStore[Shelf]):
    """A row per workspace."""

    table = "shelf"
    aggregate = Shelf
    key_field = "workspace_id"

    @staticmethod
    def key(aggregate: Shelf) -> UUID:
        return aggregate.workspace_id
