"""The rules of delivery: `app` moves live pointers, `bundle` decides what is a sound bundle."""
