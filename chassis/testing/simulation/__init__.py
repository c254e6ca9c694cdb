"""Deterministic simulation: the real chassis on a simulated world, decided by one seed."""
