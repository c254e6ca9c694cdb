"""The business: one folder for each service; none knows another."""
