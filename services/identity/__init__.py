"""Identity: who may do what where.

Responsible for users, their passwords and sessions, and for workspaces with their members, roles
and invitations. Truth is in Postgres; Redis caches sessions and roles for seconds and may vanish.

Accepts commands on users, sessions and workspaces, and billing's EntitlementsChanged (the limit
of members). Announces `identity.user`, `identity.session` and `identity.workspace`; its facts name
people by id only.
"""
