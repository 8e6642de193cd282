"""Stored reports of an account: listed, read as JSON, CSV or a page to print, made at once."""

import hashlib
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from sqlmodel import col, select

from api.http import reading
from api.http.authentication import Caller, authenticate
from api.http.commands import IdempotencyKey, command_of, run_once
from api.http.commands import Response as Answer
from api.http.problems import ProblemError
from api.http.running import run_workflow
from api.messages.bodies import AccountName, Number, PageSize
from api.messages.written_reports import MakeReport, ReportContent, ReportKind, StoredReport
from api.services import services_of
from models.contracts.backtests import RESEARCH_QUEUE
from models.contracts.reports import (
    REPORT_WORKFLOW,
    ReportRequest,
    ReportsMade,
    report_schedule_id,
)
from models.reporting.documents import csv_of, html_of
from models.tables import ReportRow

router = APIRouter(
    prefix="/accounts/{account}/reports", tags=["reports"], dependencies=[Depends(authenticate)]
)


class ReportFormat(StrEnum):
    """How a report is written."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"


@router.get("")
async def list_reports(
    request: Request,
    account: AccountName,
    *,
    kind: Annotated[ReportKind | None, Query(description="Only this kind")] = None,
    limit: PageSize = 100,
) -> list[StoredReport]:
    """List the account's reports, newest first."""
    database = services_of(request).database
    await reading.require_account(database, account)
    query = select(ReportRow).order_by(col(ReportRow.number).desc()).limit(limit)
    if kind is not None:
        query = query.where(ReportRow.kind == kind)
    async with database.account_scope(account) as session:
        return [StoredReport.model_validate(row) for row in await session.exec(query)]


@router.get(
    "/{number}",
    response_model=ReportContent,
    responses={
        200: {
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                "text/html": {"schema": {"type": "string"}},
            }
        }
    },
)
async def get_stored_report(
    request: Request,
    account: AccountName,
    number: Number,
    *,
    written: Annotated[
        ReportFormat, Query(alias="format", description="How it is written.")
    ] = ReportFormat.JSON,
) -> Response:
    """Return a report; CSV and HTML come as files that need nothing beside them."""
    database = services_of(request).database
    await reading.require_account(database, account)
    async with database.account_scope(account) as session:
        row = await session.get(ReportRow, (account, number))
    if row is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-report", f"No report {number}.")
    if written is ReportFormat.JSON:
        return JSONResponse(row.document)
    name = f"{row.kind}-{account}-{number}.{written.value}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if written is ReportFormat.HTML:
        return HTMLResponse(html_of(row.document), headers=headers)
    return Response(csv_of(row.document), media_type="text/csv", headers=headers)


@router.post("", response_model=StoredReport)
async def make_report(
    request: Request, account: AccountName, body: MakeReport, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Make a report now, from the end of the last one of its kind."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    command = command_of(request, account, key, caller, body)

    async def act() -> Answer:
        named = hashlib.sha256(command.request_id.encode()).hexdigest()[:20]
        done: Any = await run_workflow(
            services,
            REPORT_WORKFLOW,
            ReportRequest(body.kind, account),
            f"{report_schedule_id(body.kind)}/{account}/{named}",
            ReportsMade,
            queue=RESEARCH_QUEUE,
        )
        async with services.database.account_scope(account) as session:
            row = await session.get_one(ReportRow, (account, done.made[0].number))
        stored = StoredReport.model_validate(row)
        return int(HTTPStatus.OK), stored.model_dump(mode="json")

    return await run_once(services, command, act)
