"""Limits of studio, each with its unit."""

from pydantic import Field

from chassis.settings import Settings as ChassisSettings
from services.studio.appsmith import Limits


class Settings(ChassisSettings):
    """What studio reads from its environment besides what every service reads."""

    archive_files_max: int = Field(default=50_000, gt=0)
    archive_bytes_max: int = Field(default=256 * 1024 * 1024, gt=0)
    archive_entry_bytes_max: int = Field(default=64 * 1024 * 1024, gt=0)
    archive_total_bytes_max: int = Field(default=512 * 1024 * 1024, gt=0)
    bodies_in_memory_bytes_max: int = Field(default=64 * 1024 * 1024, gt=0)
    audit_period_s: float = Field(default=5.0, gt=0)
    audit_sections_max: int = Field(default=4, gt=0)
    audit_share_max: float = Field(default=0.01, gt=0, le=1)

    @property
    def archive_limits(self) -> Limits:
        """How much of a stranger's archive is taken."""
        return Limits(
            files_max=self.archive_files_max,
            archive_bytes_max=self.archive_bytes_max,
            entry_bytes_max=self.archive_entry_bytes_max,
            total_bytes_max=self.archive_total_bytes_max,
        )
