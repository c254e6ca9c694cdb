"""The kill sweep: real processes killed at every fault point of every saga, and a verdict."""
