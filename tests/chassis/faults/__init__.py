"""Fault points: rules, firings, the door that arms them."""
