"""Identity: who may do what where."""
