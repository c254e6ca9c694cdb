"""The processes: one file per saga, a declarative list of steps."""

from sagas.change_plan import change_plan
from sagas.onboard_workspace import onboard_workspace
from sagas.publish_app import publish_app, publish_app_v1

SAGAS = (publish_app_v1, publish_app, onboard_workspace, change_plan)
