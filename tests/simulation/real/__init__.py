"""Worlds in which every participant is the real service: its handlers, workers, stores, migrations.

The participants that the simulator makes up write down each effect; here the same message goes
through the service's own handler too, in the same transaction. So the usual judge sees the deeds,
and `basalt check`'s invariants are asked of what the services keep.
"""
