"""The REST side of the gateway: where files travel."""
