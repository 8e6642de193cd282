"""What the exchange holds that a trade may sell: its balance, and what its ledger took of it."""

from collections.abc import Collection, Sequence
from decimal import Decimal

from temporalio import activity

from activities.execution.order_submission import Clock
from activities.failures import typed_failures
from activities.heartbeat import heartbeating
from activities.ports.exchange import ExchangeDirectory, LedgerEntry
from activities.ports.journal import Journal
from models.contracts.orders import HoldingRequest
from models.trading.capital.ledger_kinds import LedgerMeaning, ledger_meaning
from models.trading.orders import OrderReport, Side
from models.trading.trade.facts import HoldingReported

ZERO = Decimal(0)
_LEAVES_NOTHING = (LedgerMeaning.TRADE, LedgerMeaning.MOVE)


class HoldingActivities:
    """Asks the exchange about one asset where an order was refused for want of it."""

    def __init__(self, exchanges: ExchangeDirectory, journal: Journal, clock: Clock) -> None:
        self._exchanges = exchanges
        self._journal = journal
        self._clock = clock

    @activity.defn
    async def request_holding(self, request: HoldingRequest) -> HoldingReported:
        """Answer with what may be sold, in base units, and what went other than by trading."""
        async with heartbeating():
            with typed_failures():
                return await self._holding(request)

    async def _holding(self, request: HoldingRequest) -> HoldingReported:
        command, asked_at = request.command, self._clock()
        exchange = (await self._exchanges.exchange(request.account)).protecting()
        # In this order: what is sold between two reads makes more available, and nothing missing.
        balances = await exchange.balances()
        resting = await exchange.open_orders()
        sales = command.own_order_ids
        reports = await exchange.query(sales) if sales else {}
        entries = await exchange.ledger(command.since)
        # Whatever rests for the trade was recorded before it was sent, also what it cannot know of.
        recorded = await self._journal.orders(request.account, only_open=False)
        own = [order for order in recorded if order.spec.trade == request.trade]
        names = {order.spec.client_order_id for order in own}
        ids = {order.order_id for order in own if order.order_id is not None}
        total = balances[command.base].total if command.base in balances else ZERO
        fees, moved = taken(entries, command.base)
        return HoldingReported(
            available=total - promised_to_others(resting, command.base, names, ids | set(sales)),
            sold=sum((order.filled_quantity for order in reports.values()), ZERO),
            orders=len(sales),
            fees=fees,
            moved=moved,
            at=asked_at,
        )


def promised_to_others(
    resting: Sequence[OrderReport], base: str, names: Collection[str], ids: Collection[str]
) -> Decimal:
    """Return base units that orders other than these would sell."""
    return sum(
        (
            order.quantity - order.filled_quantity
            for order in resting
            if order.side is Side.SELL
            and order.symbol.partition("/")[0] == base
            and order.client_order_id not in names
            and order.order_id not in ids
            and order.parent_order_id not in ids
        ),
        ZERO,
    )


def taken(entries: Sequence[LedgerEntry], asset: str) -> tuple[Decimal, Decimal]:
    """Return what fees took of an asset, and what went away other than by trading."""
    own = [entry for entry in entries if entry.asset == asset]
    fees = sum((entry.fee for entry in own), ZERO)
    other = (e for e in own if ledger_meaning(e.kind, e.subtype) not in _LEAVES_NOTHING)
    return fees, max(ZERO, -sum((entry.amount for entry in other), ZERO))
