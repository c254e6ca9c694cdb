"""Apps as Appsmith's git sync writes them: read, store, edit and write back without a loss.

A pure library: it knows files and bytes, no service, no store, no clock.

    tree = read_zip(path)              # or read_folder(path); hostile input: ImportRefused
    app = parse(tree)                  # formats 2 to 5; app.counts, iter(app) -> Entity
    assert export(app) == tree         # exact bytes, unknown files included
    packed = pack_app(app)             # packs to store, manifest.digest names the revision
    section = unpack_section(name, format_version, [(digest, body), ...])
    read_source(section, entity)       # an entity's JSON and text
    edited = replace_entity(app, entity_id, value=..., text=...)   # EditRefused
    bundle(app)                        # public and private files; NotPublishable

The unit of storage and of editing is the section (a page, or the app level): an App may hold just
the sections that a task needs. Nothing is changed in place.
"""

from services.studio.appsmith.add import add_entity
from services.studio.appsmith.app import App, export, parse
from services.studio.appsmith.bundle import Bundle, BundleFile, bundle
from services.studio.appsmith.edit import Edited, remove_entity, replace_entity
from services.studio.appsmith.entities import Entity, Kind
from services.studio.appsmith.limits import Limits
from services.studio.appsmith.manifest import (
    Change,
    Difference,
    Manifest,
    PackedApp,
    SectionPacks,
    changed_sections,
    diff,
    pack_app,
    section_packs,
)
from services.studio.appsmith.packs import Pack, PackBroken, pack_section, unpack_section
from services.studio.appsmith.refusals import (
    EditRefused,
    EditRule,
    ImportRefused,
    NotPublishable,
    Rule,
)
from services.studio.appsmith.sections import APP_SECTION, PAGE_PREFIX, Section
from services.studio.appsmith.sources import Source, read_source
from services.studio.appsmith.starter import new_app
from services.studio.appsmith.tree import SourceTree, read_folder, write_folder
from services.studio.appsmith.zip_read import read_changes, read_zip
from services.studio.appsmith.zip_write import write_zip, zip_bytes

__all__ = [
    "APP_SECTION",
    "PAGE_PREFIX",
    "App",
    "Bundle",
    "BundleFile",
    "Change",
    "Difference",
    "EditRefused",
    "EditRule",
    "Edited",
    "Entity",
    "ImportRefused",
    "Kind",
    "Limits",
    "Manifest",
    "NotPublishable",
    "Pack",
    "PackBroken",
    "PackedApp",
    "Rule",
    "Section",
    "SectionPacks",
    "Source",
    "SourceTree",
    "add_entity",
    "bundle",
    "changed_sections",
    "diff",
    "export",
    "new_app",
    "pack_app",
    "pack_section",
    "parse",
    "read_changes",
    "read_folder",
    "read_source",
    "read_zip",
    "remove_entity",
    "replace_entity",
    "section_packs",
    "unpack_section",
    "write_folder",
    "write_zip",
    "zip_bytes",
]
