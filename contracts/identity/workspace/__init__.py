"""Workspace: where people work together; the tenant. Owner: identity. Key: workspace_id.

A workspace is born PENDING by a saga, and ACTIVE when all that it needs exists. It always has an
owner. An invitation belongs to its workspace; whoever holds its token and logs in under the
invited e-mail address can become a member.
"""

KEY = "workspace_id"

from contracts.identity.workspace.commands import *
from contracts.identity.workspace.facts import *
from contracts.identity.workspace.kinds import *
from contracts.identity.workspace.queries import *
from contracts.identity.workspace.refusals import *
from contracts.identity.workspace.seats import *
