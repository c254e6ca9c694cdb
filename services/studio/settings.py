"""Limits of studio, each with its unit."""

from chassis.settings import Settings as ChassisSettings


class Settings(ChassisSettings):
    """What studio reads from its environment besides what every service reads."""

    archive_files_max: int = 50_000
    archive_entry_bytes_max: int = 64 * 1024 * 1024
    archive_total_bytes_max: int = 512 * 1024 * 1024
    bodies_in_memory_bytes_max: int = 64 * 1024 * 1024
    diff_revisions_seconds: float = 10.0
