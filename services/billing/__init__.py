"""Billing decides what a workspace may consume, and what it pays.

Store: Postgres, one row for each account, change of plan and payment, and a double-entry ledger.
Accepts the commands of `contracts.billing` and hears delivery's AppUnpublished, which frees what
an app cost. Announces plans, quota and entitlements; it enforces only the number of live apps, the
other limits belong to their owners. Money moves at a payment provider, which workers ask outside
of any transaction.
"""
