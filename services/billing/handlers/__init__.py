"""What billing does when it is asked, and when an app goes off the air.

A repeated command changes nothing, saves nothing and is answered as the first time.
"""

from services.billing.handlers import accounts, payments, plan_changes

HANDLERS = (*accounts.HANDLERS, *plan_changes.HANDLERS, *payments.HANDLERS)
