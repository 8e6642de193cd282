"""The step that moves the limit of an entry that rests; it may be repeated at any point."""

from collections.abc import Callable

from temporalio import activity

from activities.execution.order_submission import Clock
from activities.failures import typed_failures
from activities.heartbeat import heartbeating
from activities.metrics import in_doubt, note_refusal, timed_step
from activities.ports.exchange import Exchange, ExchangeDirectory
from activities.ports.exchange_errors import (
    ExchangeError,
    ExchangeUnavailableError,
    OrderGoneError,
    OrderRejectedError,
    RateLimitedError,
    UnknownOutcomeError,
)
from activities.ports.journal import Journal
from models.contracts.orders import EntryAmendment, EntryToAmend
from models.trading.orders import Leg
from models.trading.trade.entry_facts import AmendEntry, EntryAmended, EntryAmendRefused


class EntryAmendActivities:
    """Amend entries in place: one order from first to last, so that none is ever sent twice.

    ``is_stopped`` tells of an account whether it may not buy: its entries take nothing any more.
    """

    def __init__(
        self,
        exchanges: ExchangeDirectory,
        journal: Journal,
        clock: Clock,
        is_stopped: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._exchanges = exchanges
        self._journal = journal
        self._clock = clock
        self._is_stopped = is_stopped

    @activity.defn
    async def amend_entry(self, request: EntryToAmend) -> EntryAmendment:
        """Move the limit of a resting entry; asks what holds when the answer was lost."""
        async with heartbeating():
            with typed_failures():
                return await self._amend(request)

    async def _amend(self, request: EntryToAmend) -> EntryAmendment:
        command = request.command
        if self._is_stopped(request.account):
            return self._refused(command, "emergency stop")
        if await self._journal.entries_halted(request.account, request.symbol):
            return self._refused(command, "kill switch engaged")
        exchange = await self._exchanges.exchange(request.account)
        try:
            with timed_step("amend", Leg.ENTRY):
                await exchange.reprice(
                    command.order_id, command.limit_price, post_only=command.post_only
                )
        except UnknownOutcomeError as error:
            with in_doubt("amend", Leg.ENTRY) as doubt:
                found, doubt.resolution = await self._found(exchange, command, error)
            if found is None:
                raise  # amending again to the same figures is harmless
            return found
        except (OrderGoneError, OrderRejectedError) as error:
            found, _ = await self._found(exchange, command, error)
            note_refusal("amend", str(error))
            return found or self._refused(command, str(error))
        except (ExchangeUnavailableError, RateLimitedError) as error:
            # The entry rests as it is, and its next moment comes.
            return self._refused(command, str(error))
        return self._amended(command)

    async def _found(
        self, exchange: Exchange, command: AmendEntry, error: ExchangeError
    ) -> tuple[EntryAmendment | None, str]:
        """Ask what holds after a failed amend; no answer when the entry rests as it was."""
        report = (await exchange.query([command.order_id])).get(command.order_id)
        if report is None or report.status.is_final:
            return self._refused(command, str(error), gone=True), "found_closed"
        if report.limit_price == command.limit_price:
            return self._amended(command), "amended"
        return None, "not_amended"

    def _amended(self, command: AmendEntry) -> EntryAmendment:
        return EntryAmendment(EntryAmended(command.order_id, command.limit_price, self._clock()))

    def _refused(self, command: AmendEntry, reason: str, *, gone: bool = False) -> EntryAmendment:
        return EntryAmendment(
            refused=EntryAmendRefused(command.order_id, reason, gone, self._clock())
        )
