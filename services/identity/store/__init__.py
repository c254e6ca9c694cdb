"""Where identity keeps things: rows in Postgres, a cache in Redis, hashes from Argon2."""
