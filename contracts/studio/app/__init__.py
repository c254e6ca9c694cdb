"""App: the draft that people edit, and its immutable revisions. Owner: studio. Key: app_id.

An app is a tree of entities (pages, widgets, queries, scripts, datasources and the rest). Every
change moves the app's head to a new revision; a revision never changes. `expected_version` is the
entity's own version: two people may edit two entities at once.
"""

KEY = "app_id"

from contracts.studio.app.breaking import *
from contracts.studio.app.commands import *
from contracts.studio.app.comparing import *
from contracts.studio.app.deleting import *
from contracts.studio.app.duplicating import *
from contracts.studio.app.facts import *
from contracts.studio.app.history import *
from contracts.studio.app.kinds import *
from contracts.studio.app.merging import *
from contracts.studio.app.moving import *
from contracts.studio.app.queries import *
from contracts.studio.app.references import *
from contracts.studio.app.refusals import *
from contracts.studio.app.renaming import *
from contracts.studio.app.revising import *
from contracts.studio.app.room import *
