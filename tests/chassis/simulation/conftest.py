"""Worlds are swept up after each test."""

from tests.simulation.conftest import swept

__all__ = ["swept"]
