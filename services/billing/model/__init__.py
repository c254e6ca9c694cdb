"""Billing's rules: plans, accounts, changes of plan, payments, the ledger."""
