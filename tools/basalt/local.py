"""Where the local stack's stores are: `python -m tools.basalt.local` prints it as JSON.

The only link between the operators' command and `infra.local`. It is run as a process, because
the checker shares no code with the platform.
"""

import json
import sys

from infra.local.places import Unfit
from infra.local.stack import DATABASE_PREFIX, Stack


def environment() -> dict[str, str]:
    """POSTGRES_URL (the administrator's), KAFKA_BOOTSTRAP, MONGO_URL, REDIS_URL, BLOB_DIR and
    DATABASE_PREFIX. Unfit when no stack was ever started here."""
    stack = Stack.from_environment()
    if not stack.data.exists():
        raise Unfit("there is no local stack: run make up")
    blobs = str(stack.data / "blobs")
    return {**stack.urls(), "BLOB_DIR": blobs, "DATABASE_PREFIX": DATABASE_PREFIX}


def main() -> None:
    """Print it."""
    try:
        print(json.dumps(environment()))
    except Unfit as unfit:
        sys.exit(str(unfit))


if __name__ == "__main__":
    main()
