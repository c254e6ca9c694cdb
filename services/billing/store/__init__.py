"""Where billing keeps things: rows in Postgres, one for each account, change, payment, entry."""
