"""Bundles: a revision as delivery wants it, in the blob store (contracts.delivery.bundle)."""

import asyncio
import hashlib
from collections.abc import Sequence

from chassis.errors import Rejected
from chassis.resources import Resources
from contracts.delivery import bundle as wire
from contracts.studio.app import AppNotPublishable
from services.studio.appsmith import App, BundleFile, NotPublishable, bundle
from services.studio.model.releasing import Frozen
from services.studio.model.revision import Revision
from services.studio.store.contents import Contents


class BlobBundles:
    """Fulfils the model's Bundles."""

    def __init__(self, resources: Resources) -> None:
        self._contents = Contents(resources)
        self._blobs = resources.blobs

    async def write(self, revision: Revision) -> Frozen:
        """Both packs first, the document that names them last."""
        workspace_id = revision.workspace_id
        manifest = await self._contents.manifest(workspace_id, revision.digest)
        app = await self._contents.app(workspace_id, manifest)
        try:
            public, private, document = await asyncio.to_thread(_bundled, app)
        except NotPublishable as refusal:
            reason = AppNotPublishable(app_id=revision.app_id, reason=refusal.reason)
            raise Rejected(reason) from None
        for pack in (public, private):
            if pack:
                await self._blobs.put(workspace_id, pack)
        encoded = wire.encode(document)
        return Frozen(
            bundle_digest=await self._blobs.put(workspace_id, encoded),
            files=len(document.public.files) + len(document.private.files),
            bytes=len(public) + len(private) + len(encoded),
        )


def _bundled(app: App) -> tuple[bytes, bytes, wire.Bundle]:
    made = bundle(app)
    public, public_part = _packed(made.public)
    private, private_part = _packed(made.private)
    document = wire.Bundle(entry=made.entry, public=public_part, private=private_part)
    return public, private, document


def _packed(files: Sequence[BundleFile]) -> tuple[bytes, wire.BundlePart]:
    pack = b"".join(file.content for file in files)
    listed, offset = [], 0
    for file in files:
        size = len(file.content)
        listed.append(
            wire.BundleFile(
                path=file.path,
                digest=file.digest,
                size=size,
                offset=offset,
                content_type=file.content_type,
            )
        )
        offset += size
    digest = hashlib.sha256(pack).hexdigest()
    return pack, wire.BundlePart(digest=digest, size=len(pack), files=listed)
