"""What an app is made of."""

from enum import StrEnum


class EntityKind(StrEnum):
    """What an entity is. Readers treat a value that they do not know as FILE."""

    APP = "app"
    PAGE = "page"
    WIDGET = "widget"
    QUERY = "query"
    SCRIPT = "script"
    SCRIPT_FUNCTION = "script_function"
    DATASOURCE = "datasource"
    LIBRARY = "library"
    THEME = "theme"
    METADATA = "metadata"
    FILE = "file"
