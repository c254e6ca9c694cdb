"""Delivery: releases, what is live where, and the files that browsers fetch."""
