"""Limits of delivery, each with its unit."""

from chassis.settings import ServiceSettings
from services.delivery.model.bundle import BundleLimits


class Settings(ServiceSettings):
    """What delivery reads from its environment besides what every service reads."""

    bundle_files_max: int = 50_000
    bundle_pack_bytes_max: int = 256 * 1024 * 1024
    bundle_document_bytes_max: int = 32 * 1024 * 1024
    manifest_cache_seconds: int = 3_600
    manifest_cache_timeout_ms: int = 100

    @property
    def bundle_limits(self) -> BundleLimits:
        """What a bundle may be at most."""
        return BundleLimits(
            self.bundle_files_max, self.bundle_pack_bytes_max, self.bundle_document_bytes_max
        )
