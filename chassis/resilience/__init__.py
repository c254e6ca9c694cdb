"""Resilience: deadline > bulkhead > retry > breaker > attempt timeout > call."""
