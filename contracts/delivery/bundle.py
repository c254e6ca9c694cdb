"""Bundle: a frozen revision as files, on its way from studio to delivery by the blob port.

Three blobs, each stored under its workspace and its own SHA-256 digest (lower-case hex):

1. the **bundle document**: this file's `Bundle` as JSON. Its digest is the `bundle_digest` that
   RevisionFrozen announces and StageRelease verifies; all else is reached, and checked, from it.
2. the **public pack**: what browsers may fetch (pages, widgets, scripts, theme, names of queries).
3. the **private pack**: query bodies and datasource settings; no HTTP door ever serves it.

A pack is the bytes of its files one after the other and nothing else: file i is
`pack[offset : offset + size]`, offsets ascend without gaps, and `pack.size` is their sum. One blob
for each part, because thousands of small files cost a flush to disk each; 3,600 of them take
seconds, one pack milliseconds. An empty part has `size` 0, the digest of no bytes, and no blob.

Equal content gives equal digests: write `files` sorted by `path` (by code point, each path once),
the JSON by `encode`, and put no times or ids in it.
"""

from pydantic import BaseModel, ConfigDict, Field

Digest = str
"""SHA-256 in lower-case hex, 64 characters."""

DIGEST_PATTERN = "^[0-9a-f]{64}$"
CONTENT_TYPE_PATTERN = r"^[A-Za-z0-9.+-]+/[A-Za-z0-9.+-]+(; [a-z]+=[A-Za-z0-9.+-]+)?$"
FORMAT_NEWEST = 1


class BundleFile(BaseModel):
    """One file inside a pack. `path` is relative, with `/`; no `.`, `..`, empty part or control."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    path: str = Field(min_length=1, max_length=1024)
    digest: Digest = Field(pattern=DIGEST_PATTERN)
    size: int = Field(ge=0)
    offset: int = Field(ge=0)
    content_type: str = Field(max_length=128, pattern=CONTENT_TYPE_PATTERN)


class BundlePart(BaseModel):
    """A pack and what is in it, sorted by path."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    digest: Digest = Field(pattern=DIGEST_PATTERN)
    size: int = Field(ge=0)
    files: list[BundleFile]


class Bundle(BaseModel):
    """The bundle document. `entry` is the public file that a browser loads first, if any."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: int = Field(default=FORMAT_NEWEST, ge=1)
    entry: str = ""
    public: BundlePart
    private: BundlePart


def encode(bundle: Bundle) -> bytes:
    """The document's bytes, of which the digest is taken. Never re-encode what was read."""
    return bundle.model_dump_json().encode()


def decode(document: bytes) -> Bundle:
    """Read a document whose digest is already checked. ValueError when it is not one."""
    return Bundle.model_validate_json(document)
