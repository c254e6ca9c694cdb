"""The stores behind a service: PostgreSQL, MongoDB, Redis and blobs."""
