"""Delivery owns releases: what was staged, what is live where, and the files browsers fetch.

Stores: Postgres (apps, releases, the index of public files), the blob port (bundles, written by
studio, read and verified here) and Redis (manifests, which can be rebuilt). Accepts the commands
of `contracts.delivery.release` and hears studio's AppDeleted, which takes an app off the air.
"""
