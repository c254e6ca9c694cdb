"""Every subscription: a snapshot first, then each change."""

from collections.abc import AsyncGenerator
from typing import Any

import strawberry
from strawberry import Info

from chassis.errors import Rejected
from contracts.operation import GetOperation
from contracts.operation import Operation as OperationContract
from contracts.studio.app import AppUnknown
from services.gateway.graphql.fields import subscription
from services.gateway.graphql.loaders import AppKey
from services.gateway.graphql.operations import Operation
from services.gateway.graphql.studio import App, read_id
from services.gateway.scope import Scope


@strawberry.type(description="Live views: a snapshot first, then each change.")
class Subscription:
    """Live views. Each result is authorised anew, so a revoked session ends its streams."""

    @subscription("Long work: how it stands now, each change, its end.")
    async def operation(
        self, info: Info[Scope, None], id: strawberry.ID
    ) -> AsyncGenerator[Operation, None]:
        """Ends with the operation. OperationUnknown is an error with code REFUSED."""
        scope = info.context
        fields = read_id(id, "id", "Operation")
        query = GetOperation(
            workspace_id=fields["workspace_id"], operation_id=fields["operation_id"]
        )

        async def ask() -> OperationContract:
            scope.refresh()
            return await scope.ask(query, owner=str(fields["owner"]), founding=True)

        snapshots = scope.world.watch.snapshots(
            ask,
            str(query.operation_id),
            version=lambda operation: (operation.version, operation.state, operation.done),
            ended=lambda operation: operation.finished_at is not None,
        )
        async for snapshot in snapshots:
            yield Operation.of(snapshot)

    @subscription("An app: as it is now, and after each change of it.")
    async def app_changed(
        self, info: Info[Scope, None], app_id: strawberry.ID
    ) -> AsyncGenerator[App, None]:
        """Changes of the draft and of what is live. Ends when the app is deleted."""
        scope = info.context
        fields = read_id(app_id, "appId", "App")
        key = AppKey(fields["workspace_id"], fields["app_id"])

        async def ask() -> Any:  # the app's contract, and delivery's version of it
            scope.refresh()
            app = await scope.loaders.apps.load(key)
            delivery = await scope.loaders.deliveries.load(key)
            return app, delivery.version if delivery else 0

        snapshots = scope.world.watch.snapshots(
            ask,
            str(key.app_id),
            version=lambda pair: (pair[0].version if pair[0] else None, pair[1]),
            ended=lambda pair: pair[0] is None,
        )
        first = True
        async for app, _ in snapshots:
            if app is not None:
                yield App.of(app)
            elif first:
                raise Rejected(AppUnknown(app_id=key.app_id))
            first = False
