"""Delivery's tables."""
