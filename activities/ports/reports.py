"""What making reports needs of the record."""

from datetime import datetime
from typing import Any, Protocol

from models.reporting.documents import Section


class ReportRecord(Protocol):
    """Facts of the record and stored reports; OSError where it does not answer."""

    async def accounts(self) -> list[str]:
        """Return every account."""

    async def market_time(self) -> datetime | None:
        """Return the newest market time, None before the first price."""

    async def last_until(self, account: str, kind: str) -> datetime | None:
        """Return where the newest report of a kind ends."""

    async def sections(
        self, account: str, kind: str, since: datetime, until: datetime
    ) -> tuple[Section, ...]:
        """Return the report's content, of what ended in a span of market time."""

    async def store(
        self,
        account: str,
        kind: str,
        span: tuple[datetime, datetime],
        made_at: datetime,
        document: dict[str, Any],
    ) -> int:
        """Keep a report, once for the end of its span, audited; return its number."""
