"""The simulator's own exchange, led along bars: the fill rules become prints and books.

Nothing is matched here. For each thing that a bar may do to an order the exchange is shown the book
and the prints that the fill rules stand for, and what it makes of them is passed on as facts.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import count

from models.learning.backtest.bars import Bars
from models.learning.backtest.rules import FillRules, Portfolio
from models.simulation.engine.orders import (
    AmendRequest,
    Execution,
    ForceKind,
    Moment,
    OrderKind,
    OrderRequest,
    PriceTerm,
    VenueOrderStatus,
)
from models.simulation.errors import VenueError
from models.simulation.events import Event, ExecutionType, OrderChanged
from models.simulation.gateway.rates import VerificationTier
from models.simulation.outcomes import AccountSetup, VenueOptions
from models.simulation.steps import Level, MarketStep, Print, SymbolStep
from models.simulation.venue import Venue
from models.trading.account.entries.book_costs import BookLevel, BookView
from models.trading.market import MarketSnapshot
from models.trading.orders import Fill, OrderSpec, OrderStatus, OrderType, Side, TimeInForce
from models.trading.risk.limits import FeeRates
from models.trading.trade.facts import (
    AmendRefused,
    AmendStop,
    CancelOrder,
    FillReported,
    OrderAcknowledged,
    OrderEnded,
    OrderRefused,
    StopAmended,
    TradeFact,
)

ACCOUNT = "backtest"
DEEP = Decimal(10) ** 12
"""Base units on the side that sales meet: what protects is sold whole."""
STILL = Decimal("0.000001")
"""A move of a bar, as a share of the price, that bounds no entry."""
PACE = timedelta(seconds=5)
"""Protocol time between two requests: what the rate budget would make of a burst of them."""
_KINDS = {
    OrderType.MARKET: OrderKind.MARKET,
    OrderType.LIMIT: OrderKind.LIMIT,
    OrderType.STOP_LOSS: OrderKind.STOP_LOSS,
}
_ENDS = {
    VenueOrderStatus.CLOSED: OrderStatus.CLOSED,
    VenueOrderStatus.CANCELED: OrderStatus.CANCELED,
    VenueOrderStatus.EXPIRED: OrderStatus.EXPIRED,
}


class BarExchange:
    """One account and one pair on the simulator, in market time only."""

    def __init__(self, bars: Bars, rules: FillRules, portfolio: Portfolio) -> None:
        self.instrument = bars.instrument
        self.rules = rules
        self.now = bars.start(0)
        self.executions: list[tuple[Execution, OrderSpec]] = []
        self._numbers = count(1)
        self._wall = self.now
        self._specs: dict[str, OrderSpec] = {}
        self._slip = Decimal(repr(rules.slippage_share))
        self._venue = Venue(
            [bars.instrument],
            [AccountSetup(ACCOUNT, {"USD": _usd(portfolio.capital)}, VerificationTier.PRO)],
            seed=1,
            start=self.now,
            options=VenueOptions(schedule=rules.fees, resting_share=Decimal(1)),
        )

    # --- prices ----------------------------------------------------------------------------

    def sold_at(self, price: Decimal) -> Decimal:
        """Return what a sale at market brings at a price: less slippage, rounded down."""
        return self._ticks(price * (1 - self._slip), ROUND_FLOOR)

    def bought_at(self, price: Decimal) -> Decimal:
        """Return what a purchase at market costs at a price: slippage more, rounded up."""
        return self._ticks(price * (1 + self._slip), ROUND_CEILING)

    def _ticks(self, price: Decimal, rounding: str) -> Decimal:
        tick = self.instrument.price_increment
        return max(tick, (price / tick).to_integral_value(rounding=rounding) * tick)

    def seen(self, market: MarketSnapshot) -> MarketSnapshot:
        """Return a market with what decisions ask for besides its prices.

        The book is the one that the fill rules stand for: a least quantity at the price, and all
        the rest where slippage leaves it. How far the pair moves is told so small that it bounds
        nothing: what a strategy is worth is judged without the account's volatility.
        """
        price, least = market.last, self.instrument.quantity_minimum
        bids = (BookLevel(price, least), BookLevel(self.sold_at(price), DEEP))
        asks = (BookLevel(price, least), BookLevel(self.bought_at(price), DEEP))
        return replace(
            market,
            book=BookView(bids, asks),
            book_at=market.observed_at,
            average_true_range=price * STILL,
            volatility=STILL,
            measured_at=market.observed_at,
        )

    def rates(self) -> FeeRates:
        """Return the account's rates by its volume now."""
        return self.rules.fees.rates(self._venue.volume_30d(ACCOUNT))

    # --- the market ------------------------------------------------------------------------

    def pass_time(self, at: datetime) -> None:
        """Let market time pass; nothing is traded by it."""
        self.now = at
        self._venue.advance(Moment(at, max(at, self._wall)))

    def show(
        self, bid: Decimal, ask: Decimal | None = None, quantity: Decimal = DEEP
    ) -> list[TradeFact]:
        """Show a book: any quantity bids at one price, some offers at another; nobody trades."""
        return self._step((), bid, ask, quantity)

    def trade(
        self, price: Decimal, bid: Decimal, quantity: Decimal | None = None
    ) -> list[TradeFact]:
        """Let others trade at a price over a book that bids at another; stops there fire."""
        size = quantity if quantity is not None else self.instrument.quantity_minimum
        return self._step((Print(Side.SELL, price, size),), bid, None, DEEP)

    def _step(
        self, prints: tuple[Print, ...], bid: Decimal, ask: Decimal | None, quantity: Decimal
    ) -> list[TradeFact]:
        bids = (Level(bid, DEEP),) if bid > 0 else ()
        asks = () if ask is None else (Level(ask, quantity),)
        step = SymbolStep(self.instrument.symbol, prints, bids, asks)
        number = next(self._numbers)
        return self._facts(self._venue.apply_step(MarketStep(number, self.now, (step,)), self.now))

    # --- orders ----------------------------------------------------------------------------

    def place(self, spec: OrderSpec, *, rests: bool = True) -> list[TradeFact]:
        """Send an order; the answer and what it brings about at once.

        What does not rest ends with what it takes, before anything else of its trade is sent.
        """
        spec = at_market(spec)
        price = spec.limit_price if spec.limit_price is not None else spec.trigger_price
        request = OrderRequest(
            symbol=spec.symbol,
            side=spec.side,
            kind=_KINDS[spec.order_type],
            volume=spec.quantity,
            price=PriceTerm(price) if price is not None else None,
            cl_ord_id=spec.client_order_id,
            time_in_force=ForceKind.GTC if rests else ForceKind.IOC,
        )
        try:
            placed = self._venue.add_order(ACCOUNT, request, self._moment())
        except VenueError as error:
            return [OrderRefused(spec.client_order_id, OrderStatus.REJECTED, error.text, self.now)]
        assert placed.txid is not None
        self._specs[placed.txid] = spec
        acknowledged = OrderAcknowledged(spec.client_order_id, placed.txid, self.now)
        return [acknowledged, *self._facts(placed.events)]

    def cancel(self, command: CancelOrder) -> list[TradeFact]:
        """Withdraw an order; one that is over tells how it ended."""
        return self.drop(command.order_id, command.client_order_id)

    def drop(self, order_id: str | None, name: str | None = None) -> list[TradeFact]:
        """Withdraw an order by its exchange id."""
        try:
            done = self._venue.cancel(
                ACCOUNT, self._moment(), txid=order_id, cl_ord_id=None if order_id else name
            )
        except VenueError:
            return self._end_of(order_id)
        return self._facts(done.events)

    def filled(self, order_id: str) -> Decimal:
        """Return what an order has executed."""
        order = self._venue.order(ACCOUNT, order_id)
        return order.executed if order is not None else Decimal(0)

    def amend(self, command: AmendStop) -> list[TradeFact]:
        """Change a resting stop in place."""
        request = AmendRequest(
            txid=command.order_id,
            volume=command.quantity,
            trigger_price=PriceTerm(command.trigger_price),
        )
        try:
            done = self._venue.amend(ACCOUNT, request, self._moment())
        except VenueError as error:
            gone = "Unknown order" in error.text
            return [AmendRefused(command.order_id, error.text, gone, self.now)]
        amended = StopAmended(command.order_id, command.quantity, command.trigger_price, self.now)
        return [amended, *self._facts(done.events)]

    # --- what it tells -----------------------------------------------------------------------

    def _facts(self, events: Iterable[Event]) -> list[TradeFact]:
        facts: list[TradeFact] = []
        for event in events:
            if not isinstance(event, OrderChanged):
                continue
            if event.execution is not None:
                facts.append(self._fill(event.execution))
            elif event.execution_type in (
                ExecutionType.FILLED,
                ExecutionType.CANCELED,
                ExecutionType.EXPIRED,
            ):
                facts.extend(self._end_of(event.order.txid))
        return facts

    def _fill(self, execution: Execution) -> FillReported:
        # The events of an order that fills at once come with the answer to it.
        spec = self._specs.get(execution.order_txid)
        if spec is None:
            spec = self._spec_of(execution.order_txid)
        self.executions.append((execution, spec))
        fill = Fill(
            execution_id=execution.txid,
            order_id=execution.order_txid,
            symbol=execution.symbol,
            side=execution.side,
            quantity=execution.quantity,
            price=execution.price,
            cost=execution.cost,
            fee=execution.fee,
            exchange_time=execution.at,
            maker=execution.maker,
        )
        return FillReported(fill, spec.client_order_id)

    def _spec_of(self, order_id: str) -> OrderSpec:
        raise LookupError(f"the exchange executed an order that nobody sent: {order_id}")

    def _end_of(self, order_id: str | None) -> list[TradeFact]:
        order = None if order_id is None else self._venue.order(ACCOUNT, order_id)
        if order is None or order.status not in _ENDS or order_id is None:
            return []
        name = self._specs[order_id].client_order_id
        return [
            OrderEnded(order_id, _ENDS[order.status], order.executed, order.reason, self.now, name)
        ]

    def _moment(self) -> Moment:
        """Return the moment of a request: as far apart as the platform's rate budget keeps them."""
        self._wall = max(self.now, self._wall + PACE)
        return Moment(self.now, self._wall)


def at_market(spec: OrderSpec) -> OrderSpec:
    """Return an order that takes at once within a collar as the one at market that it stands for.

    A backtest leaves the collar open: what a strategy decides at a close fills at the next open.
    """
    if spec.time_in_force is not TimeInForce.IOC:
        return spec
    return replace(
        spec, order_type=OrderType.MARKET, limit_price=None, time_in_force=TimeInForce.GTC
    )


def _usd(amount: float) -> Decimal:
    return Decimal(repr(amount)).quantize(Decimal("0.0001"))
