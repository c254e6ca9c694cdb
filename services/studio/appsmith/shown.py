"""Values as clients see them: JSON texts of a bounded length."""

import json

from services.studio.appsmith.compare import MISSING

VALUE_CHARS_MAX = 4_000
"""Of one value or text that is shown."""

SHOWN_CHARS_MAX = 2_000_000
"""Of all values and texts of one answer."""


def shown_value(value: object) -> tuple[str | None, bool]:
    """A value as a JSON text, and whether it was cut; None for what is not there."""
    if value is MISSING:
        return None, False
    try:
        text = json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "", True
    return cut(text)


def cut(text: str) -> tuple[str, bool]:
    """A text as far as it is shown, and whether that is less than all."""
    return text[:VALUE_CHARS_MAX], len(text) > VALUE_CHARS_MAX
