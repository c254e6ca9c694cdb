"""The machinery under every service. It knows the wire, never the business."""
