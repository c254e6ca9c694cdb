"""Where studio keeps things: rows in Postgres, bodies in MongoDB, bundles in the blob store."""
