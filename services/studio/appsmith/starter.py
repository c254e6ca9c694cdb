"""An app out of nothing: one page `Home` with a greeting, in format 5."""

from services.studio.appsmith.add import add_entity
from services.studio.appsmith.app import APPLICATION, METADATA, App, parse
from services.studio.appsmith.entities import Kind, Object
from services.studio.appsmith.sections import FORMAT_FILES
from services.studio.appsmith.sources import encode_json
from services.studio.appsmith.templates import page_value
from services.studio.appsmith.tree import SourceTree

HOME = "Home"


def new_app(name: str) -> App:
    """The starter app. The same name gives the same content."""
    files = {
        APPLICATION: encode_json(_application()),
        METADATA: encode_json(_METADATA),
        "theme.json": encode_json(
            {"displayName": "Modern", "isSystemTheme": True, "name": "Default"}
        ),
        f"pages/{HOME}/{HOME}.json": encode_json(page_value(HOME, FORMAT_FILES)),
    }
    greeting: Object = {
        "bottomRow": 8,
        "fontSize": "1.5rem",
        "rightColumn": 40,
        "text": f"Welcome to {name}",
        "type": "TEXT_WIDGET",
    }
    app = parse(SourceTree(files))
    return add_entity(app, Kind.WIDGET, name="Greeting", page=HOME, value=greeting).app


_METADATA: Object = {
    "artifactJsonType": "APPLICATION",
    "clientSchemaVersion": 2,
    "fileFormatVersion": FORMAT_FILES,
    "serverSchemaVersion": 12,
}


def _application() -> Object:
    return {
        "appIsExample": False,
        "appLayout": {"type": "FLUID"},
        "applicationVersion": 2,
        "color": "#D6D1F2",
        "evaluationVersion": 2,
        "icon": "bag",
        "pages": [{"id": HOME, "isDefault": True}],
        "unpublishedAppLayout": {"type": "FLUID"},
    }
