"""The GraphQL side of the gateway."""
