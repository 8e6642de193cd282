"""The steps that move and record capital, and the reading of flows out of the ledger."""

from datetime import timedelta
from decimal import Decimal

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.capital_ports import CapitalBook, SimulatedFunding, TransferRefusedError
from activities.placement import Clock
from activities.ports import Exchange, LedgerEntry
from models.contracts.days import (
    BaselineToRecord,
    CapitalOutcome,
    CapitalToMove,
    FlowsToRecord,
)
from models.trading.capital import FLOW_KINDS, CapitalFlow, LedgerLine, recognise_flows
from models.trading.capital_facts import CapitalMoved, CapitalRefused

LEDGER_MARGIN = timedelta(minutes=5)
"""Market time by which a reading reaches back: entries may be booked a little out of order."""
FLOWS_AT_ONCE = 100


class CapitalActivities:
    """Move simulated capital and write flows and baselines."""

    def __init__(self, book: CapitalBook, funding: SimulatedFunding | None, clock: Clock) -> None:
        self._book = book
        self._funding = funding
        self._clock = clock

    @activity.defn
    async def move_capital(self, request: CapitalToMove) -> CapitalOutcome:
        """Have the simulated exchange book what was asked for, once per request."""
        asked = request.request
        if self._funding is None:
            raise ApplicationError("nothing moves capital here", non_retryable=True)
        try:
            line = await self._funding.transfer(
                request.account, asked.request_id, asked.asset, asked.amount
            )
        except TransferRefusedError as error:
            refused = CapitalRefused(asked.request_id, asked.by, str(error), self._clock())
            return CapitalOutcome(refused=refused)
        return CapitalOutcome(CapitalMoved(line, asked.by, asked.note, self._clock()))

    @activity.defn
    async def record_flows(self, request: FlowsToRecord) -> None:
        """Write flows, each once."""
        await self._book.save_flows(request.account, request.flows)

    @activity.defn
    async def record_baseline(self, request: BaselineToRecord) -> None:
        """Write a baseline, once."""
        await self._book.save_baseline(request.account, request.baseline)


async def new_flows(exchange: Exchange, book: CapitalBook, account: str) -> tuple[CapitalFlow, ...]:
    """Return capital flows of the ledger that the record does not know, oldest first.

    What is read stays to be read again until the record has it: only then the mark moves on.
    """
    since = await book.ledger_read_until(account)
    # Kind by kind: a ledger is mostly trades, and reading many pages for a few flows takes minutes.
    found = [await exchange.ledger(since, kind) for kind in sorted(FLOW_KINDS)]
    entries = sorted(
        (entry for entries in found for entry in entries), key=lambda entry: entry.exchange_time
    )
    lines = [_line(entry) for entry in entries]
    known = await book.known_flows(account) if lines else set()
    flows: list[CapitalFlow] = []
    waiting = False
    for line in lines:
        price = None if line.asset == "USD" else await book.price_at(line.asset, line.at)
        prices: dict[str, Decimal] = {} if price is None else {line.asset: price}
        recognised = recognise_flows([line], known, prices)
        flows += recognised.flows
        waiting = waiting or bool(recognised.unpriced)
    if entries and not flows and not waiting:
        await book.advance_ledger(account, entries[-1].exchange_time - LEDGER_MARGIN)
    return tuple(flows[:FLOWS_AT_ONCE])


def _line(entry: LedgerEntry) -> LedgerLine:
    return LedgerLine(
        entry.ledger_id, entry.kind, entry.asset, entry.amount, entry.fee, entry.exchange_time
    )
