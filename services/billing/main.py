"""Billing, put together."""

from chassis.service import Service
from services.billing import handlers, views
from services.billing.model.accounts import Accounts
from services.billing.model.changes import PlanChanges
from services.billing.model.ledger import Ledger
from services.billing.model.payments import Payments
from services.billing.payments import HttpPayments, PaymentProvider, close_payments
from services.billing.settings import Settings
from services.billing.store.accounts import SqlAccounts
from services.billing.store.ledger import SqlLedger
from services.billing.store.payments import SqlPayments, SqlPlanChanges
from services.billing.work import WORKERS

service = Service(
    name="billing",
    settings=Settings,
    handlers=handlers.HANDLERS,
    views=views.VIEWS,
    provides={
        Accounts: SqlAccounts,
        PlanChanges: SqlPlanChanges,
        Payments: SqlPayments,
        Ledger: SqlLedger,
        PaymentProvider: HttpPayments,
    },
    stores=("postgres",),
    workers=WORKERS,
    extend=(close_payments,),
)

if __name__ == "__main__":
    service.run()
