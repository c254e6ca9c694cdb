"""The golden journey and its mirrors: what a client does, through the gateway only."""
