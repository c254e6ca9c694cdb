"""Gateway: the one public door.

Responsibility: authenticate, authorise, limit, batch, degrade and stream; GraphQL, and REST where
files travel. It holds no state of its own: what it knows, it asks the services for.
Accepts: HTTP and WebSocket from clients. Announces: nothing.
"""
