"""What stands in, on a developer's machine, for what others run."""
