"""Activity remembers what happened: each domain event once, in one feed for each workspace.

Stores: MongoDB (the feed: event id as `_id`, so that a redelivery changes nothing) and Postgres for
the chassis's own tables. Hears every fact of every service; accepts no commands, announces nothing.
"""
