"""What one may ask studio: questions, and the export of an app as files."""

from services.studio.views.queries import VIEWS

__all__ = ["VIEWS"]
