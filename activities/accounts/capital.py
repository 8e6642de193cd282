"""The steps that move and record capital, and the reading of flows out of the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.execution.order_submission import Clock
from activities.ports.capital import CapitalBook, SimulatedFunding, TransferRefusedError
from activities.ports.exchange import Exchange, LedgerEntry
from models.contracts.days import (
    BaselineToRecord,
    CapitalOutcome,
    CapitalToMove,
    FlowsToRecord,
)
from models.trading.account.capital.facts import CapitalMoved, CapitalRefused
from models.trading.capital.flows import FLOW_KINDS, CapitalFlow, LedgerLine, recognise_flows

LEDGER_MARGIN = timedelta(minutes=5)
"""Market time by which a reading reaches back: entries may be booked a little out of order."""
FLOWS_AT_ONCE = 100
_TRADE = "trade"


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


@dataclass(frozen=True, slots=True)
class LedgerReading:
    """New flows, oldest first, and names of entries whose type nobody here has a meaning for."""

    flows: tuple[CapitalFlow, ...] = ()
    unknown: tuple[str, ...] = ()


async def read_ledger(exchange: Exchange, book: CapitalBook, account: str) -> LedgerReading:
    """Return what the ledger tells beyond executions that the record does not know.

    What is read stays to be read again until the record has it: only then the mark moves on.
    """
    since = await book.ledger_read_until(account)
    entries = await _entries(exchange, since)
    lines = [_line(entry) for entry in entries if entry.kind != _TRADE]
    known = await book.known_flows(account) if lines else set()
    prices, unpriceable = await _prices(exchange, book, lines, known)
    found = recognise_flows(lines, known, prices, unpriceable)
    # The other half of a move may lie before the mark, which nothing but its partner asks about.
    flows = [flow for flow in found.flows if since is None or flow.at >= since]
    if entries and not flows and not found.unpriced:
        await book.advance_ledger(account, entries[-1].exchange_time - LEDGER_MARGIN)
    unknown = tuple(f"{line.ledger_id} ({line.words})" for line in found.unknown)
    return LedgerReading(tuple(flows[:FLOWS_AT_ONCE]), unknown)


async def _entries(exchange: Exchange, since: datetime | None) -> list[LedgerEntry]:
    """Return entries since a market time and the margin before it, oldest first.

    Before the first mark a ledger may be years of trades, and reading many pages for a few flows
    takes minutes: it is then read kind by kind.
    """
    if since is not None:
        return await exchange.ledger(since - LEDGER_MARGIN)
    found = [await exchange.ledger(None, kind) for kind in sorted(FLOW_KINDS)]
    return sorted(
        (entry for entries in found for entry in entries), key=lambda entry: entry.exchange_time
    )


async def _prices(
    exchange: Exchange, book: CapitalBook, lines: Sequence[LedgerLine], known: set[str]
) -> tuple[dict[str, Decimal], set[str]]:
    """Return prices by ledger line, and assets that no pair in USD values."""
    prices: dict[str, Decimal] = {}
    unpriceable: set[str] = set()
    new = [line for line in lines if line.ledger_id not in known and line.asset != "USD"]
    instruments = await exchange.instruments() if new else {}
    for line in new:
        if f"{line.asset}/USD" not in instruments:
            unpriceable.add(line.asset)
            continue
        price = await book.price_at(line.asset, line.at)
        if price is not None:
            prices[line.ledger_id] = price
    return prices, unpriceable


def _line(entry: LedgerEntry) -> LedgerLine:
    return LedgerLine(
        entry.ledger_id,
        entry.kind,
        entry.asset,
        entry.amount,
        entry.fee,
        entry.exchange_time,
        entry.subtype,
    )
