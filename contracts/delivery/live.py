"""Live: what is on the air, and the manifest that browsers start from. Owner: delivery."""

from uuid import UUID

from pydantic import Field

from contracts.base import Query, Reply
from contracts.delivery.environment import Environment
from contracts.delivery.release import Release, Visibility

KEY = "app_id"


class LivePointer(Reply):
    """What is live in one environment. `path` is the live manifest's, from the gateway's root."""

    environment: Environment
    release: Release | None
    path: str


class AppDelivery(Reply):
    """An app's pointers, both environments, whether or not anything was ever published."""

    workspace_id: UUID
    app_id: UUID
    visibility: Visibility
    pointers: list[LivePointer]
    version: int  # the aggregateversion of the last event that this includes


class AppDeliveries(Reply):
    """In the order asked for, one for each id."""

    apps: list[AppDelivery]


class GetAppDeliveries(Query[AppDeliveries], permission="workspace.read"):
    """What is live, for many apps at once."""

    workspace_id: UUID
    app_ids: list[UUID] = Field(max_length=200)


class ManifestFile(Reply):
    """A public file of the live release. `url` never changes its content: keep it for ever."""

    path: str
    url: str
    digest: str
    size: int
    content_type: str


class Manifest(Reply):
    """What a browser needs to run the live app. Nothing of the private part is in it."""

    workspace_id: UUID
    app_id: UUID
    environment: Environment
    release_id: UUID
    revision_id: UUID
    release_number: int
    pointer_version: int
    bundle_digest: str
    entry: str
    files: list[ManifestFile]


class GetManifest(Query[Manifest], permission="workspace.read"):
    """The live manifest of an app. Refused with NothingLive when there is none."""

    workspace_id: UUID
    app_id: UUID
    environment: Environment
