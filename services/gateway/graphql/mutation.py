"""A command contract as a GraphQL mutation.

Adding one takes a line in a Mutation class::

    rename_app = mutation(RenameApp, refusals=(AppUnknown, AppIsArchived))

Input, payload, the union of its outcomes, permission, validation and idempotency follow from the
contract. `mints` names ids that the gateway makes (always the same for one idempotency key);
`fill` completes fields that the client leaves out.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import strawberry
from strawberry import Info

from chassis.clock import new_id
from chassis.errors import Conflict, IdempotencyKeyReused, Rejected
from contracts.base import Command, Rejection, answer_of
from services.gateway.graphql.failures import CONFLICT, KEY_REUSED, result_union, show_failure
from services.gateway.graphql.inputs import InputPlan, build, collect, plan_input
from services.gateway.graphql.shapes import shape_of, show
from services.gateway.memory import NoMemory
from services.gateway.scope import CommandKey, Scope

Fields = dict[str, Any]  # contract field values, by name
Fill = Callable[[Scope, Fields], Awaitable[Fields]]  # (scope, what is given) -> what is added


EXPOSED: set[type[Command[Any]]] = set()
"""The commands that some mutation sends."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a mutation becomes a command."""

    contract: type[Command[Any]]
    input: InputPlan
    refusals: tuple[type[Rejection], ...]
    mints: tuple[str, ...]
    fill: Fill | None
    judge: Fill | None


def mutation(
    contract: type[Command[Any]],
    *,
    name: str = "",
    refusals: Collection[type[Rejection]] = (),
    mints: Collection[str] = (),
    fills: Collection[str] = (),
    fill: Fill | None = None,
    judge: Fill | None = None,
    hide: Collection[str] = (),
    by_service: bool = False,
    deprecated: str | None = None,
) -> Any:
    """A strawberry field that sends `contract`.

    `by_service` = several services take it, and the client names one; `deprecated` = what to send
    instead.

    `fills` = fields that the client may give and that `fill` supplies otherwise; `hide` = fields
    that only `fill` or `judge` supplies. What `fill` supplied is kept with the idempotency key, so
    that a repeat is the same command even when `fill` would say something else by now. `judge`
    supplies what is a matter of rights: decided anew each time, never kept.
    """
    assert contract.permission, f"{contract.__name__} is not for callers from outside"
    EXPOSED.add(contract)
    title = name or contract.__name__
    hidden = {*hide, *mints}
    plan = Plan(
        contract,
        plan_input(contract, name=f"{title}Input", hide=hidden, optional=fills),
        tuple(refusals),
        tuple(mints),
        fill,
        judge,
    )
    union = result_union(f"{title}Result", shape_of(answer_of(contract)), refusals)

    resolve = _resolver(plan, union, by_service=by_service)
    doc = " ".join((contract.__doc__ or "").split())
    return strawberry.mutation(resolver=resolve, description=doc, deprecation_reason=deprecated)


def _resolver(plan: Plan, union: Any, *, by_service: bool) -> Callable[..., Awaitable[Any]]:
    """With the types that strawberry reads from its annotations."""

    async def resolve(info: Info[Scope, None], input: Any) -> Any:
        return await perform(plan, info.context, input)

    async def resolve_at(info: Info[Scope, None], service: str, input: Any) -> Any:
        return await perform(plan, info.context, input, owner=service)

    types = {"info": Info, "input": plan.input.gql_type, "return": union}
    resolve.__annotations__ = types
    resolve_at.__annotations__ = {**types, "service": str}
    return resolve_at if by_service else resolve


async def perform(plan: Plan, scope: Scope, given: Any, *, owner: str = "") -> Any:
    """Carry out one mutation. Returns a member of its union."""
    scope.refresh()  # of several in a document, each sees what others, or time, did to its rights
    fields = collect(plan.input, given)
    permission = plan.contract.permission or ""
    if "workspace_id" in fields:  # before anything is looked up or kept for who may not
        await scope.permit(permission, fields["workspace_id"])
    key = CommandKey(plan.contract.address.type, given.idempotency_key, fields)
    command_id = await scope.command_id(permission, key)
    try:
        fields |= await filled(scope, key, command_id, plan.mints, plan.fill)
        fields |= await plan.judge(scope, fields) if plan.judge else {}
        command = build(plan.contract, fields)
        to = owner or str(fields.get("owner", ""))
        answer = await scope.send(command, command_id, owner=to)
        return show(answer, fields)
    except Rejected as refusal:
        return show_failure(refusal.rejection, fields, plan.refusals)
    except IdempotencyKeyReused:
        return KEY_REUSED
    except Conflict:
        return CONFLICT


async def filled(
    scope: Scope, key: CommandKey, command_id: UUID, mints: Collection[str], fill: Fill | None
) -> Fields:
    """What the gateway adds to a command: the same when it is repeated with its key."""

    async def make() -> Fields:
        minted: Fields = {name: new_id() for name in mints}
        return {**minted, **(await fill(scope, {**key.fields, **minted}) if fill else {})}

    if not mints and not fill:
        return {}
    memory = scope.world.memory if key.key is not None else NoMemory()
    return await memory.first(command_id, make)
