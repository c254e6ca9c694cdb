"""`make import-history REPO=...`: every commit of a git-synced app becomes a revision.

repository reads the clone, carry sends it through the gateway's API, compare proves the exports.
"""
