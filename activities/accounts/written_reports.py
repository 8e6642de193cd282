"""Making the reports of a kind: from the record, into the record, and on to who asked for them."""

from collections.abc import Callable
from datetime import datetime

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.heartbeat import heartbeating
from activities.ports.reports import ReportRecord
from models.contracts.reports import REPORTS, ReportMade, ReportRequest, ReportsMade
from models.reporting.documents import ReportDocument, as_json

log = structlog.get_logger(__name__)


class WrittenReports:
    """Make reports of accounts one after the other; one that fails keeps no other from its own."""

    def __init__(
        self,
        record: ReportRecord,
        clock: Callable[[], datetime],
    ) -> None:
        self._record = record
        self._clock = clock

    @activity.defn
    async def write_reports(self, request: ReportRequest) -> ReportsMade:
        """Make and store the reports; fails when none could be made for any account."""
        made: list[ReportMade] = []
        failed: list[str] = []
        async with heartbeating():
            accounts = [request.account] if request.account else await self._record.accounts()
            until = await self._record.market_time()
            if until is None:
                message = "there is no market time yet: a report would be of no span"
                raise ApplicationError(message, type="NoMarketTime")
            for account in accounts:
                try:
                    made.append(await self._write(account, request.kind, until))
                except (OSError, ArithmeticError, ValueError) as error:
                    log.exception("report failed", account=account, kind=request.kind)
                    failed.append(f"{account}: {error}")
        if failed and not made:
            raise ApplicationError("; ".join(failed))
        return ReportsMade(tuple(made), tuple(failed))

    async def _write(self, account: str, kind: str, until: datetime) -> ReportMade:
        title, every = REPORTS[kind]
        since = await self._record.last_until(account, kind) or until - every
        sections = await self._record.sections(account, kind, since, until)
        document = as_json(ReportDocument(kind, title, account, since, until, sections))
        number = await self._record.store(account, kind, (since, until), self._clock(), document)
        return ReportMade(account, kind, number)
