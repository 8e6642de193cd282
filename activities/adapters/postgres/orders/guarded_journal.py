"""The journal of the processes that follow exchanges: what can never be written blocks nothing.

What the exchange tells is not ours to bound. A report, an execution or a comparison that the record
refuses for what it holds is kept in the quarantine with its reason, and what comes with it, or
after it, is written. An intent is the exception: what is not recorded is not sent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

import structlog

from activities.accounts.quarantine import ATTEMPTS, refused_write
from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.orders.quarantine import PostgresQuarantine, never_succeeds
from activities.metrics import QUARANTINED
from activities.ports.journal import Discrepancies, IntentRefusedError, IntentStored
from infra.runtime.database.connections import Database
from models.trading.orders import Fill, OrderReport, OrderSpec

log = structlog.get_logger(__name__)

AGAIN_SECONDS: Final = 0.1
"""A constraint may be violated by what another step is about to write."""

Result = TypeVar("Result")
_Write = Callable[[], Awaitable[Result]]


class GuardedJournal(PostgresJournal):
    """Implement ``ports.Journal``; every write of the exchange's words comes to an end."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._quarantine = PostgresQuarantine(database)

    async def store_intent(
        self, order: OrderSpec, intended_at: datetime, sending_at: datetime | None = None
    ) -> IntentStored:
        """Commit an intent before its first send.

        Raises:
            IntentRefusedError: the record can never hold it; it must not be sent.
        """
        store = super().store_intent
        try:
            return await _tried(lambda: store(order, intended_at, sending_at))
        except Exception as error:
            if not never_succeeds(error):
                raise
            name = f"intent/{order.client_order_id}"
            await self._set_aside(order.account, name, "store_intent", order, error)
            raise IntentRefusedError(f"the record refuses the intent: {error}") from error

    async def record_reports(self, account: str, reports: Sequence[OrderReport]) -> None:
        """Bring orders up to the exchange's reports; one that cannot be written holds up none."""
        record = super().record_reports
        try:
            await record(account, reports)
        except Exception as error:
            if not never_succeeds(error):
                raise
        else:
            return
        for one in reports:
            name = f"report/{one.order_id}/{one.status.value}/{one.filled_quantity}"
            await self._write_or_keep(account, name, "record_reports", one, _one(record, account))

    async def record_fills(self, account: str, fills: Sequence[Fill]) -> list[str]:
        """Insert fills once and return the new; one that cannot be written holds up none."""
        record = super().record_fills
        try:
            return await record(account, fills)
        except Exception as error:
            if not never_succeeds(error):
                raise
        new: list[str] = []
        for one in fills:
            name, write = f"fill/{one.execution_id}", _one(record, account)
            new += await self._write_or_keep(account, name, "record_fills", one, write) or ()
        return new

    async def record_reconciliation(self, account: str, found: Discrepancies, at: datetime) -> None:
        """Write what was found different from the exchange."""
        record = super().record_reconciliation

        async def write(found: Discrepancies) -> None:
            await record(account, found, at)

        name = f"reconciliation/{at.isoformat()}"
        await self._write_or_keep(account, name, "record_reconciliation", found, write)

    async def _write_or_keep(
        self,
        account: str,
        name: str,
        step: str,
        content: Result,
        write: Callable[[Result], Awaitable[list[str] | None]],
    ) -> list[str] | None:
        try:
            return await _tried(lambda: write(content))
        except Exception as error:
            if not never_succeeds(error):
                raise
            await self._set_aside(account, name, step, content, error)
            return None

    async def _set_aside(
        self, account: str, name: str, step: str, content: object, error: Exception
    ) -> None:
        write = refused_write(name, step, (content,), error, datetime.now(UTC), account)  # noqa: TID251 - the time of writing, decides nothing
        await self._quarantine.keep(write)
        QUARANTINED.labels(step).inc()
        log.error(
            "a write can never succeed and is quarantined",
            account=account,
            step=step,
            write=write.write_id,
            reason=write.reason,
        )


def _one(
    record: Callable[[str, list[Result]], Awaitable[list[str] | None]], account: str
) -> Callable[[Result], Awaitable[list[str] | None]]:
    return lambda one: record(account, [one])


async def _tried(write: _Write[Result]) -> Result:
    """Write; again a moment later where it is refused, a few times."""
    for _ in range(ATTEMPTS - 1):
        try:
            return await write()
        except Exception as error:
            if not never_succeeds(error):
                raise
            await asyncio.sleep(AGAIN_SECONDS)
    return await write()
