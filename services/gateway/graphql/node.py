"""Relay's Node: anything that has a global id."""

import strawberry

from services.gateway.graphql.shapes import Shape


@strawberry.interface(description="Something with an id that stays the same.")
class Node:
    """`node(id)` finds it again."""

    id: strawberry.ID


class NodeShape(Shape, Node):
    """Base of the types that show a contract message and are nodes."""
