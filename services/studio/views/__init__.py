"""What one may ask studio: questions, and the export of an app as files."""

from services.studio.views import queries, references

VIEWS = (*queries.VIEWS, *references.VIEWS)
