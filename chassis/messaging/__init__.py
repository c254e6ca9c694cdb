"""Messages in and out of a service: envelope, inbox, outbox, relay and partition runner."""
