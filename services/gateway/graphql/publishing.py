"""What a publish and an import leave to the gateway: the head, what is live, a new id."""

from typing import Any

from chassis.clock import new_id
from chassis.errors import Rejected
from contracts.studio.app import AppUnknown
from services.gateway.graphql.loaders import AppKey
from services.gateway.scope import Scope

Fields = dict[str, Any]  # contract field values


async def fill_publish(scope: Scope, fields: Fields) -> Fields:
    """The head, and what is live in that environment at this moment, unless the client said. The
    app must be the workspace's: a publish locks it."""
    app = AppKey(fields["workspace_id"], fields["app_id"])
    added: Fields = {}
    found = await scope.loaders.apps.load(app)
    if found is None:
        raise Rejected(AppUnknown(app_id=app.app_id))
    if "revision_id" not in fields:
        added["revision_id"] = found.head_revision_id
    if "previous_release_id" not in fields:
        delivery = await scope.loaders.deliveries.load(app)
        pointers = delivery.pointers if delivery else []
        live = [p for p in pointers if p.environment == fields["environment"]]
        release = live[0].release if live else None
        added["previous_release_id"] = release.release_id if release else None
    return added


async def judge_publish(scope: Scope, fields: Fields) -> Fields:
    """Whether the workspace wants a second member to approve."""
    workspace = await scope.loaders.workspaces.load(fields["workspace_id"])
    settings = workspace.settings if workspace else None
    protected = settings.protected_environments if settings else ()
    return {"approval_required": fields["environment"] in protected}


async def fill_import(scope: Scope, fields: Fields) -> Fields:
    """A new app unless the client names one."""
    return {} if "app_id" in fields else {"app_id": new_id()}
