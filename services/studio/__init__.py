"""Studio keeps the draft of every app, and every revision that it ever had.

Stores: Postgres (apps, heads, revisions, the index of the head's entities), MongoDB (immutable
bodies by workspace and digest), blobs (archives that arrive, bundles that leave). Accepts the
commands of `contracts.studio.app` and hears billing's EntitlementsChanged, which says how many apps
a workspace may have. Announces what happens to apps, their entities and revisions.
"""
