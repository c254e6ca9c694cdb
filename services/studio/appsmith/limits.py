"""How much of a stranger's source tree is taken."""

from pydantic import BaseModel, ConfigDict, PositiveInt

MIB = 1024 * 1024


class Limits(BaseModel):
    """Bounds of one import. Sizes are in bytes after unpacking unless they say otherwise."""

    model_config = ConfigDict(frozen=True)

    files_max: PositiveInt = 50_000
    archive_bytes_max: PositiveInt = 256 * MIB
    entry_bytes_max: PositiveInt = 64 * MIB
    total_bytes_max: PositiveInt = 512 * MIB
    ratio_max: PositiveInt = 200
    """Unpacked to packed size, for an entry and for the whole; small files are let off."""
    ratio_floor_bytes: PositiveInt = MIB
    whole_ratio_floor_bytes: PositiveInt = 32 * MIB
    """What a whole archive may unpack to whatever its ratio."""
    path_length_max: PositiveInt = 1024
    depth_max: PositiveInt = 64


DEFAULT_LIMITS = Limits()
