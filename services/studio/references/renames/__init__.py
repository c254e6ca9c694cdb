"""Rename an entity: all that refers to it follows, and not a character more changes.

A widget, a query or a script is a name that code of its page calls; a script's function a member of
such a name; a page has its name in files, ids, and texts that `navigateTo` takes.
"""
