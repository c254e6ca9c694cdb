"""Long work in the schema: an Operation, whoever owns it."""

from collections.abc import Awaitable
from typing import Any, TypeVar
from uuid import UUID

from strawberry import Info
from strawberry.scalars import JSON

from chassis.errors import Rejected
from contracts.operation import GetOperation, OperationUnknown
from contracts.operation import Operation as OperationContract
from contracts.studio.app import Finding as FindingContract
from services.gateway import ids
from services.gateway.errors import Forbidden
from services.gateway.graphql.delivery import Release, find_release
from services.gateway.graphql.failures import Failure, failure_of
from services.gateway.graphql.fields import field
from services.gateway.graphql.node import NodeShape
from services.gateway.graphql.shapes import shape, shape_of
from services.gateway.graphql.studio import App, find_app
from services.gateway.scope import Scope

T = TypeVar("T")
HIDDEN = ("result", "error_type", "error", "subject_id")
WARNINGS, COUNT = "warnings", "warnings_count"
Finding = shape_of(FindingContract)


@shape(OperationContract, node="Operation", hide=HIDDEN)
class Operation(NodeShape):
    """Long work: answers at once, is watched by `operation(id)`, and may be cancelled early."""

    @field("Whether it has ended, well or not.")
    def finished(self) -> bool:
        """By state, so that a state of a newer owner counts as running."""
        return self.shown.finished_at is not None

    @field("Why it was refused or undone; null when it was not.")
    def error(self) -> Failure | None:
        """The rejection, as its own type."""
        if not self.shown.error_type:
            return None
        failure: Failure = failure_of(self.shown.error_type, self.shown.error, self.known)
        return failure

    @field("What the finished work says; ids in it are global ids.")
    def result(self) -> JSON:
        """Fields that name a thing become its global id."""
        result = {k: v for k, v in self.shown.result.items() if k not in (WARNINGS, COUNT)}
        return JSON(shown_result(result, {**self.known, "app_id": self._app_id}))

    @field("What is wrong with what it published: an import brought it, so it was tolerated.")
    def warnings(self) -> list[Finding]:  # type: ignore[valid-type]  # derived from its contract
        """The first ones; `warningsCount` has all."""
        known = {**self.known, "app_id": self._app_id}
        found = self.shown.result.get(WARNINGS)
        return [Finding.of(FindingContract.model_validate(one), known) for one in found or ()]

    @field("How many warnings there are.")
    def warnings_count(self) -> int:
        """Zero for work that knows none."""
        return int(self.shown.result.get(COUNT, 0))

    @field("The app that it made or worked on.")
    async def app(self, info: Info[Scope, None]) -> App | None:
        """Batched."""
        if self._app_id is None:
            return None
        found = find_app(info.context, {**self.known, "app_id": self._app_id})
        return await _or_unseen(found)

    @field("The release that it made.")
    async def release(self, info: Info[Scope, None]) -> Release | None:
        """Batched."""
        release_id = self._uuid("release_id")
        if release_id is None:
            return None
        found = find_release(info.context, {**self.known, "release_id": release_id})
        return await _or_unseen(found)

    @property
    def _app_id(self) -> UUID | None:
        """From the result, else what the work is about, unless that is the workspace."""
        app_id = self._uuid("app_id")
        if app_id is None and self.shown.subject_id != str(self.shown.workspace_id):
            return _uuid_of(self.shown.subject_id)
        return app_id

    def _uuid(self, name: str) -> UUID | None:
        return _uuid_of(str(self.shown.result.get(name, "")))


async def _or_unseen(found: Awaitable[T | None]) -> T | None:
    """Null for whoever may not see it, such as the founder of a workspace in the making."""
    try:
        return await found
    except Forbidden:
        return None


def _uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def shown_result(result: dict[str, Any], known: Any) -> dict[str, Any]:
    """A result's fields with global ids in place of those that can be made."""
    fields = {**known, **result}
    out: dict[str, Any] = {}  # JSON
    for name, value in result.items():
        kind = ids.KIND_OF_FIELD.get(name)
        parts = [fields.get(part) for part in ids.PARTS[kind][:-1]] if kind else []
        if kind and value and all(parts):
            out[name] = ids.encode(kind, *[str(part) for part in parts], str(value))
        else:
            out[name] = value
    return out


async def find_operation(scope: Scope, fields: dict[str, Any]) -> Operation | None:
    """The operation of a decoded id; None when there is none."""
    query = GetOperation(workspace_id=fields["workspace_id"], operation_id=fields["operation_id"])
    try:
        return Operation.of(await scope.ask(query, owner=fields["owner"], founding=True))
    except Rejected as refusal:
        if isinstance(refusal.rejection, OperationUnknown):
            return None
        raise
