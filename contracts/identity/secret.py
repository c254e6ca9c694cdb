"""Text that must not be shown: masked when printed or logged, plain on the wire only."""

from typing import Annotated

from pydantic import Field, PlainSerializer, SecretStr, WithJsonSchema

_SCHEMA = {"type": "string", "format": "password", "writeOnly": True, "maxLength": 1024}

Secret = Annotated[
    SecretStr,
    PlainSerializer(SecretStr.get_secret_value, return_type=str, when_used="json"),
    WithJsonSchema(_SCHEMA),
    Field(max_length=1024),
]
"""A password or a token. Read it with `get_secret_value`, where it is used and nowhere else."""
