"""Parked keys and dead letters: what keeps failing waits here, in order, and nothing is dropped.

A message that keeps failing parks its key: it and every later message of that key wait in the
service's own PostgreSQL (`lot`), other keys go on. The first of a key is tried again by itself
(`loop`), and when it succeeds the others follow. What cannot be decoded is kept with its raw bytes
and holds up nobody. Operators list, show, redrive and discard (`desk`).
"""
