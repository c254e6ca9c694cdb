"""Billing decides what a workspace may consume.

Store: Postgres, one row for each account. Accepts the commands of `contracts.billing.account` and
hears delivery's AppUnpublished, which frees what an app cost. Announces plans, quota and
entitlements; it enforces only the number of live apps, the other limits belong to their owners.
"""
