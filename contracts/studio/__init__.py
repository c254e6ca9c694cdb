"""Studio: the draft of every app."""
