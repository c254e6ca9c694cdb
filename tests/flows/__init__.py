"""Whole journeys through real processes, two replicas of every service, with faults."""
