"""Billing: what a workspace may consume."""
