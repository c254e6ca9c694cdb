"""Where delivery keeps things: `rows` for handlers, `manifests` and `files` for readers."""
