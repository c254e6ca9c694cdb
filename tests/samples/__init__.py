"""Apps of our own making that tests and the journey import."""
