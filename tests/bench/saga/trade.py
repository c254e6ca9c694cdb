"""The five-step saga of the benchmark and of the flows: take, wash, paint, sell, ship."""

from datetime import timedelta
from typing import Any

from chassis.saga import QUICK, Definitions, Saga, compensatable, pivot, retriable
from chassis.saga.inputs import Fact
from chassis.saga.state import SagaState
from contracts.base import Event
from contracts.orchestrator.saga import (
    SagaCompensated,
    SagaCompensating,
    SagaCompleted,
    SagaNeedsAttention,
    SagaProgressed,
    SagaStarted,
)
from tests.bench.saga.contracts.dummy.thing import (
    DirtyThing,
    PaintThing,
    PutBackThing,
    ScrapeThing,
    SellThing,
    ShipThing,
    TakeThing,
    TradeThing,
    WashThing,
)

trade_thing = Saga(
    name="trade_thing",
    version=1,
    starts_on=TradeThing,
    lock="thing_id",
    deadline=timedelta(minutes=30),
    steps=(
        compensatable(TakeThing, compensation=PutBackThing, retry=QUICK),
        compensatable(WashThing, compensation=DirtyThing, retry=QUICK),
        compensatable(PaintThing, compensation=ScrapeThing, retry=QUICK),
        pivot(SellThing, retry=QUICK),
        retriable(ShipThing),
    ),
)
DEFINITIONS = Definitions((trade_thing,))

_EVENTS: dict[Fact, type[Event]] = {
    Fact.STARTED: SagaStarted,
    Fact.PROGRESSED: SagaProgressed,
    Fact.COMPENSATING: SagaCompensating,
    Fact.NEEDS_ATTENTION: SagaNeedsAttention,
    Fact.COMPLETED: SagaCompleted,
    Fact.COMPENSATED: SagaCompensated,
}


def announce(saga: Saga, state: SagaState, fact: Fact) -> Event:
    """As the orchestrator service does it."""
    about: dict[str, Any] = {  # each event takes its own by name
        "workspace_id": state.workspace_id,
        "operation_id": state.id,
        "kind": saga.name,
        "subject_id": state.business_key,
        "step": "",
        "done": state.cursor,
        "total": len(saga.steps),
        "started_at": state.started_at,
        "error_type": state.error_type,
        "error": state.error,
    }
    contract = _EVENTS[fact]
    return contract.model_construct(**{name: about[name] for name in contract.model_fields})
