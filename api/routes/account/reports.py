"""Reports of an account, and its trades as CSV."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from api.access.disclosures import record_export
from api.http import reading
from api.http.authentication import authenticate
from api.messages.bodies import AccountName, Moment
from api.messages.reports import Report
from api.queries import accounts, capital
from api.queries.reports import report, trades_as_csv
from api.services import services_of

router = APIRouter(
    prefix="/accounts/{account}", tags=["reports"], dependencies=[Depends(authenticate)]
)

SHOWN = timedelta(days=90)
Since = Annotated[
    Moment | None, Query(description="Begin of the time shown (market time); 90 days back.")
]


class CsvResponse(StreamingResponse):
    """A table as it is written, in pieces."""

    media_type = "text/csv"


@router.get("/report")
async def get_report(request: Request, account: AccountName, *, since: Since = None) -> Report:
    """Return daily profit, risk, performance, hedge and costs of an account."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    if since is None:
        now = capital.market_time(await accounts.snapshots(services.database))
        since = (now or datetime.now(UTC)) - SHOWN
    return await report(services, account, since if since.tzinfo else since.replace(tzinfo=UTC))


@router.get(
    "/trades.csv",
    response_class=CsvResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def export_trades(request: Request, account: AccountName) -> CsvResponse:
    """Return every trade of an account as CSV, newest first; of any length."""
    database = services_of(request).database
    await reading.require_account(database, account)
    await record_export(request, account, "trades", {"format": "csv"})
    name = f'attachment; filename="trades-{account}.csv"'
    return CsvResponse(trades_as_csv(database, account), headers={"Content-Disposition": name})
