"""How far the record of actions is protected, and all that a search finds of it as one file."""

import json
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import text

from activities.adapters.postgres.record.protection import read_protection
from activities.adapters.postgres.record.search import Search, search_record
from api.access.disclosures import record_export
from api.http.authentication import authenticate
from api.http.csv_lines import cell_of, line_of
from api.messages.schemas import AuditEntry, CheckpointShown, RecordProtection
from api.routes.account.lots import TEXT, ExportFormat, Format
from api.routes.platform.audit import Wanted
from api.services import services_of
from infra.runtime.database.connections import PLATFORM_SCOPE, Database
from infra.runtime.note_keys import WITNESS
from infra.runtime.record_keys import record_verifiers
from models.trading.governance.record.cadence import protection_fault

router = APIRouter(prefix="/record", tags=["audit"], dependencies=[Depends(authenticate)])

PAGE: Final = 500
COLUMNS: Final = tuple(AuditEntry.model_fields)
_NEWEST = text(
    "SELECT size, at, reason, cosigned FROM audit_checkpoints ORDER BY at DESC, size DESC LIMIT 20"
)


@router.get("/protection")
async def get_record_protection(request: Request) -> RecordProtection:
    """Return the newest checkpoints, and up to where a witness has cosigned the record."""
    services = services_of(request)
    verifiers = record_verifiers(services.settings)
    protection = await read_protection(services.database, verifiers)
    now = datetime.now(UTC)
    newest = await services.database.call(_NEWEST)
    return RecordProtection(
        as_of=now,
        cosigned_at=protection.cosigned_at,
        size=protection.size,
        unprotected=protection.unprotected,
        fault=protection_fault(protection.cosigned_at, now),
        witnesses=sum(one.kind == WITNESS for one in verifiers),
        checkpoints=[CheckpointShown.model_validate(row) for row in newest],
    )


@router.get("/export", response_class=StreamingResponse, responses=TEXT)
async def export_audit_entries(
    request: Request, wanted: Wanted, *, export: Format = ExportFormat.CSV
) -> StreamingResponse:
    """Stream everything that a search finds, newest first, in memory that does not grow with it.

    It ends at what was recorded when it was asked for.
    """
    database = services_of(request).database
    now = datetime.now(UTC)
    until = now if wanted.until is None else min(now, wanted.until)
    wanted = replace(wanted, until=until)
    await record_export(request, PLATFORM_SCOPE, "audit", _asked(wanted, export))
    entries = _entries(database, wanted)
    name = f'attachment; filename="audit.{export}"'
    is_csv = export is ExportFormat.CSV
    return StreamingResponse(
        _csv(entries) if is_csv else _ndjson(entries),
        media_type="text/csv" if is_csv else "application/x-ndjson",
        headers={"Content-Disposition": name},
    )


def _asked(wanted: Search, export: ExportFormat) -> dict[str, str]:
    told = {name: value for name, value in asdict(wanted).items() if value is not None}
    if wanted.accounts is not None:
        told["accounts"] = ", ".join(wanted.accounts)
    return {name: str(value) for name, value in told.items()} | {"format": export.value}


async def _entries(database: Database, wanted: Search) -> AsyncIterator[AuditEntry]:
    cursor = ""
    while True:
        page = await search_record(database, wanted, cursor, PAGE)
        for row in page.rows:
            yield AuditEntry.model_validate(row, from_attributes=True)
        if not page.following:
            return
        cursor = page.following


async def _ndjson(entries: AsyncIterator[AuditEntry]) -> AsyncIterator[str]:
    async for entry in entries:
        yield f"{entry.model_dump_json()}\n"


async def _csv(entries: AsyncIterator[AuditEntry]) -> AsyncIterator[str]:
    yield line_of(COLUMNS)
    async for entry in entries:
        values = entry.model_dump(mode="json")
        yield line_of([cell_of(_told(values[name])) for name in COLUMNS])


def _told(value: Any) -> Any:
    """Return a value as one cell holds it: what has parts, as JSON."""
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else value
