"""Billing, put together."""

from chassis.service import Service
from services.billing import handlers, store, views
from services.billing.model import Accounts
from services.billing.settings import Settings

service = Service(
    name="billing",
    settings=Settings,
    handlers=handlers.HANDLERS,
    views=views.VIEWS,
    provides={Accounts: store.SqlAccounts},
    stores=("postgres",),
)

if __name__ == "__main__":
    service.run()
