"""What the exchange holds that a trade may sell: its balance, and what its ledger took of it."""

from collections.abc import Sequence
from decimal import Decimal

from temporalio import activity

from activities.failures import typed_failures
from activities.heartbeat import heartbeating
from activities.placement import Clock
from activities.ports import Exchange, ExchangeDirectory, LedgerEntry
from models.contracts.orders import HoldingToAsk
from models.trading.orders import OrderReport, Side
from models.trading.trade_facts import AskHolding, HoldingTold

ZERO = Decimal(0)


class HoldingActivities:
    """Asks the exchange about one asset where an order was refused for want of it."""

    def __init__(self, exchanges: ExchangeDirectory, clock: Clock) -> None:
        self._exchanges = exchanges
        self._clock = clock

    @activity.defn
    async def ask_holding(self, request: HoldingToAsk) -> HoldingTold:
        """Answer with what may be sold, in base units, and what went other than by trading."""
        async with heartbeating():
            with typed_failures():
                exchange = await self._exchanges.exchange(request.account)
                return await self._holding(exchange.protecting(), request.command)

    async def _holding(self, exchange: Exchange, command: AskHolding) -> HoldingTold:
        asked_at = self._clock()
        # In this order: what is sold between two reads makes more available, and nothing missing.
        balances = await exchange.balances()
        resting = await exchange.open_orders()
        own = await exchange.query(command.own_order_ids) if command.own_order_ids else {}
        entries = await exchange.ledger(command.since)
        total = balances[command.base].total if command.base in balances else ZERO
        fees, moved = taken(entries, command.base)
        return HoldingTold(
            available=total - promised_to_others(resting, command),
            sold=sum((order.filled_quantity for order in own.values()), ZERO),
            orders=len(command.own_order_ids),
            fees=fees,
            moved=moved,
            at=asked_at,
        )


def promised_to_others(resting: Sequence[OrderReport], command: AskHolding) -> Decimal:
    """Return base units that orders of other trades would sell."""
    own = set(command.own_order_ids)
    return sum(
        (
            order.quantity - order.filled_quantity
            for order in resting
            if order.side is Side.SELL
            and order.symbol.partition("/")[0] == command.base
            and not own & {order.order_id, order.parent_order_id}
        ),
        ZERO,
    )


def taken(entries: Sequence[LedgerEntry], asset: str) -> tuple[Decimal, Decimal]:
    """Return what fees took of an asset, and what was moved away other than by trading."""
    own = [entry for entry in entries if entry.asset == asset]
    fees = sum((entry.fee for entry in own), ZERO)
    other = sum((entry.amount for entry in own if entry.kind != "trade"), ZERO)
    return fees, max(ZERO, -other)
