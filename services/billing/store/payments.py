"""Where changes of plan and payments are kept: one row for each. They announce nothing."""

from uuid import UUID

from chassis.stores.aggregates import AggregateStore
from services.billing.model.changes import PlanChange
from services.billing.model.payments import Payment


class SqlPlanChanges(AggregateStore[PlanChange]):
    """Changes of plan."""

    table = "plan_change"
    aggregate = PlanChange
    key_field = "change_id"

    @staticmethod
    def key(aggregate: PlanChange) -> UUID:
        return aggregate.change_id


class SqlPayments(AggregateStore[Payment]):
    """Payments."""

    table = "payment"
    aggregate = Payment
    key_field = "payment_id"

    @staticmethod
    def key(aggregate: Payment) -> UUID:
        return aggregate.payment_id
