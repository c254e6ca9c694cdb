"""Long work of studio: read an archive, write its content and what its code says, end with
FinishImport.

Nothing is written before the whole archive is read and checked; what is written is immutable and
named by its content, so an attempt that dies leaves nothing that is half done.
"""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from chassis.errors import Rejected
from chassis.stores.blobs import Blobs, BlobUnknown
from chassis.work import Job
from contracts.studio.app import FinishImport, ImportApp, ImportRefused
from services.studio import appsmith
from services.studio.handlers.imports import BASE_DIGEST
from services.studio.settings import Settings
from services.studio.store.contents import Contents
from services.studio.store.graphs import Graphs

WRITE_PACKS_MAX = 8
UNNAMED = "Imported app"


async def import_app(
    job: Job, blobs: Blobs, contents: Contents, graphs: Graphs, settings: Settings
) -> FinishImport:
    """Read, check, store. Rejected with ImportRefused: the file's name and the rule."""
    command = ImportApp.model_validate(job.input)
    await job.progress(0, 1, "reading")
    base = await _base(job, contents)
    packed, app, files = await _read(command, base, blobs, settings)
    packs = await contents.unwritten(job.workspace_id, command.app_id, packed.packs)
    total = len(packs)
    await job.progress(0, total, "storing")
    for at in range(0, total, WRITE_PACKS_MAX):
        batch = packs[at : at + WRITE_PACKS_MAX]
        await contents.write_packs(job.workspace_id, batch)
        await job.progress(min(at + WRITE_PACKS_MAX, total), total)
    await contents.write_manifests(job.workspace_id, [packed.manifest])
    _remember(job.workspace_id, contents, packed, app)
    for done, section in enumerate(packed.manifest.sections):
        await job.progress(done, len(packed.manifest.sections), "parsing code")
        await graphs.readings(job.workspace_id, packed.manifest, [section.name])
    return FinishImport(
        workspace_id=job.workspace_id,
        app_id=command.app_id,
        app_name=command.app_name or UNNAMED,
        digest=packed.manifest.digest,
        format_version=app.format_version,
        files=files,
        author_name=command.author_name,
        authored_at=command.authored_at,
        message=command.message,
        commit=command.commit,
    )


async def _base(job: Job, contents: Contents) -> Mapping[str, bytes] | None:
    """The files that the archive is a change of; None when it is whole."""
    digest = job.input.get(BASE_DIGEST)
    if not digest:
        return None
    manifest = await contents.manifest(job.workspace_id, digest)
    return (await contents.app(job.workspace_id, manifest)).files


async def _read(
    command: ImportApp, base: Mapping[str, bytes] | None, blobs: Blobs, settings: Settings
) -> tuple[appsmith.PackedApp, appsmith.App, int]:
    try:
        archive = await blobs.get(command.workspace_id, command.archive_digest)
        limits = settings.archive_limits
        return await asyncio.to_thread(_parse, archive, limits, base, command.removed)
    except BlobUnknown:
        rule, detail = "MISSING_ARCHIVE", "upload the archive first"
        raise Rejected(ImportRefused(path="", rule=rule, detail=detail)) from None
    except appsmith.ImportRefused as refusal:
        raise Rejected(
            ImportRefused(path=refusal.path, rule=refusal.rule.value, detail=refusal.detail)
        ) from None


def _parse(
    archive: bytes,
    limits: appsmith.Limits,
    base: Mapping[str, bytes] | None,
    removed: Sequence[str],
) -> tuple[appsmith.PackedApp, appsmith.App, int]:
    if base is None:
        tree = appsmith.read_zip(archive, limits)
    else:
        tree = appsmith.read_changes(archive, base, removed, limits)
    app = appsmith.parse(tree)
    return appsmith.pack_app(app), app, len(tree)


def _remember(
    workspace_id: UUID, contents: Contents, packed: appsmith.PackedApp, app: appsmith.App
) -> None:
    """What was just parsed is what FinishImport reads next."""
    for section in packed.manifest.sections:
        contents.remember(workspace_id, section.packs, app.sections[section.name])


WORKERS = {"import_app": import_app}
