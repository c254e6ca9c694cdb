"""What a revision that was made elsewhere brings with it: who made it there, when, and why."""

from typing import Annotated

from pydantic import Field

AuthorName = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
"""One line."""

RevisionMessage = Annotated[
    str, Field(max_length=10_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$")
]
"""Lines and tabs; no other control character."""

CommitName = Annotated[str, Field(max_length=100, pattern=r"^[0-9A-Za-z._:-]*$")]
"""What a version control system calls a state: git's hash of a commit, say."""
