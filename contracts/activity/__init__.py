"""Activity: what happened."""
