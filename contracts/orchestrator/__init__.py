"""What the orchestrator accepts and announces."""
