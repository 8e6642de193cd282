"""Lots and realised gains of an account, to be read or exported."""

import csv
import io
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from api.access.disclosures import record_export
from api.http import reading
from api.http.authentication import authenticate
from api.messages.bodies import AccountName
from api.messages.lots import GainView, LotView
from api.messages.schemas import Row
from api.queries.lots import lots_and_gains
from api.services import services_of

router = APIRouter(tags=["capital"], dependencies=[Depends(authenticate)])


class ExportFormat(StrEnum):
    """How rows are written: a JSON object a line, or comma-separated values with a header."""

    NDJSON = "ndjson"
    CSV = "csv"


MEDIA = {ExportFormat.NDJSON: "application/x-ndjson", ExportFormat.CSV: "text/csv"}
TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {media: {"schema": {"type": "string"}} for media in MEDIA.values()}}
}
Format = Annotated[ExportFormat, Query(alias="format", description="How rows are written.")]


@router.get("/accounts/{account}/lots")
async def list_lots(request: Request, account: AccountName) -> list[LotView]:
    """List what is held by lot, oldest first by asset; an unknown cost is null."""
    database = services_of(request).database
    await reading.require_account(database, account)
    lots, _ = await lots_and_gains(database, account)
    return [LotView.model_validate(lot) for lot in lots]


@router.get("/accounts/{account}/gains")
async def list_gains(request: Request, account: AccountName) -> list[GainView]:
    """List what each disposal realised of each lot, oldest first; an unknown gain is null."""
    database = services_of(request).database
    await reading.require_account(database, account)
    _, gains = await lots_and_gains(database, account)
    return [GainView.model_validate(gain) for gain in gains]


@router.get("/accounts/{account}/lots/export", response_class=StreamingResponse, responses=TEXT)
async def export_lots(
    request: Request, account: AccountName, *, export: Format = ExportFormat.CSV
) -> StreamingResponse:
    """Stream the lots, a row each."""
    rows = await list_lots(request, account)
    await record_export(request, account, "lots", {"format": export.value, "rows": str(len(rows))})
    return stream_rows(rows, LotView, export)


@router.get("/accounts/{account}/gains/export", response_class=StreamingResponse, responses=TEXT)
async def export_gains(
    request: Request, account: AccountName, *, export: Format = ExportFormat.CSV
) -> StreamingResponse:
    """Stream the gains, a row each."""
    rows = await list_gains(request, account)
    await record_export(request, account, "gains", {"format": export.value, "rows": str(len(rows))})
    return stream_rows(rows, GainView, export)


def stream_rows(rows: Sequence[Row], shape: type[Row], export: ExportFormat) -> StreamingResponse:
    """Stream rows of one shape; a figure that is not known is empty, or null."""
    lines = _csv(rows, shape) if export is ExportFormat.CSV else _ndjson(rows)
    return StreamingResponse(lines, media_type=MEDIA[export])


def _ndjson(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        yield f"{row.model_dump_json()}\n"


def _csv(rows: Sequence[Row], shape: type[Row]) -> Iterator[str]:
    names = list(shape.model_fields)
    yield _line(names)
    for row in rows:
        values = row.model_dump(mode="json")
        yield _line(["" if values[name] is None else values[name] for name in names])


def _line(values: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()
