"""A saga of your own, put through simulated worlds: `pytest examples/trip --saga-seeds=1000`."""
