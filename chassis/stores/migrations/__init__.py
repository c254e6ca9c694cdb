"""The chassis's own tables, in the database of every service."""
