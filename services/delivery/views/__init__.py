"""What delivery answers: `releases` to services, `files` to browsers."""

from services.delivery.views.releases import (
    get_app_deliveries,
    get_manifest,
    get_releases,
    list_releases,
)

VIEWS = (get_app_deliveries, get_releases, list_releases, get_manifest)
