"""Evidence packs: asked for, watched, fetched. Whoever holds the record's key makes them."""

import asyncio
import hashlib
import tempfile
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import IO, Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse, StreamingResponse

from activities.ports.record import Selection
from api.access.admission import allowed, require
from api.http import reading
from api.http.authentication import Caller, authenticate
from api.http.commands import IdempotencyKey, Response, command_of, run_once
from api.http.problems import ProblemError
from api.messages.bodies import PageSize
from api.messages.written_reports import AskForPack, EvidencePackView
from api.services import Packs, services_of
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.tables.governance.packs import EvidencePackRow
from models.trading.governance.rights import Action

router = APIRouter(prefix="/evidence-packs", tags=["record"], dependencies=[Depends(authenticate)])

PackId = Annotated[str, Path(min_length=20, max_length=20, pattern=r"^[0-9a-f]+$")]
WAITING_MAXIMUM = 10
CHUNK = 1 << 16
IN_MEMORY = 1 << 22


class ZipResponse(StreamingResponse):
    """A pack's files in one."""

    media_type = "application/zip"


ZIP: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        "description": "The files of the pack, with RECIPE.md, which says how to verify them",
    }
}


@router.post("", status_code=HTTPStatus.ACCEPTED, response_model=EvidencePackView)
async def ask_for_pack(
    request: Request, body: AskForPack, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Ask for evidence of what was recorded that anybody can verify without Aether.

    Without an account it holds every chain, which takes the right for all accounts.
    """
    services = services_of(request)
    scope = body.account or PLATFORM_SCOPE
    await require(request, Action.EVIDENCE_EXPORT, scope)
    if scope != PLATFORM_SCOPE:
        await reading.require_account(services.database, scope)
    command = command_of(request, PLATFORM_SCOPE, key, caller, body)
    packs = services.packs

    async def act() -> Response:
        if await packs.waiting() >= WAITING_MAXIMUM:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "too-many-wait",
                f"{WAITING_MAXIMUM} packs wait to be made already.",
                lasting=False,
            )
        pack = hashlib.sha256(command.request_id.encode()).hexdigest()[:20]
        wanted = Selection(body.account, body.since, body.until)
        await packs.ask(pack, caller.name, datetime.now(UTC), wanted)
        shown = EvidencePackView.model_validate(await packs.pack(pack))
        return int(HTTPStatus.ACCEPTED), shown.model_dump(mode="json")

    return await run_once(services, command, act)


@router.get("")
async def list_packs(request: Request, *, limit: PageSize = 100) -> list[EvidencePackView]:
    """List the packs that the caller may fetch, newest first."""
    found = await services_of(request).packs.packs(limit)
    scopes = sorted({row.account or PLATFORM_SCOPE for row in found})
    seen = set(await allowed(request, Action.EVIDENCE_EXPORT, scopes))
    return [
        EvidencePackView.model_validate(row)
        for row in found
        if (row.account or PLATFORM_SCOPE) in seen
    ]


@router.get("/{pack}")
async def get_pack(request: Request, pack: PackId) -> EvidencePackView:
    """Return one pack and what became of it."""
    return EvidencePackView.model_validate(await _permitted(request, pack))


@router.get("/{pack}/file", response_class=ZipResponse, responses=ZIP)
async def fetch_pack(request: Request, pack: PackId, caller: Caller) -> ZipResponse:
    """Return the files of a pack as a ZIP; that it was fetched is recorded."""
    row = await _permitted(request, pack)
    if row.state != "ready":
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "pack-not-ready",
            f"The pack is {row.state}{': ' + row.reason if row.reason else ''}.",
            lasting=row.state != "queued",
        )
    packs = services_of(request).packs
    await packs.note_download(row, caller.name)
    file = await _zipped(packs, pack)
    headers = {"Content-Disposition": f'attachment; filename="evidence-{pack}.zip"'}
    return ZipResponse(_chunks(file), headers=headers)


async def _permitted(request: Request, pack: str) -> EvidencePackRow:
    row = await services_of(request).packs.pack(pack)
    if row is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-pack", f"No pack {pack}.")
    await require(request, Action.EVIDENCE_EXPORT, row.account or PLATFORM_SCOPE)
    return row


async def _zipped(packs: Packs, pack: str) -> IO[bytes]:
    file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # closed when it was sent
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in await packs.names(pack):
            content = await packs.file(pack, name)
            await asyncio.to_thread(archive.writestr, f"evidence-{pack}/{name}", content)
    file.seek(0)
    return file


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk
