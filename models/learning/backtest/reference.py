"""The reference engine: the platform's own decisions over the simulator's own matching.

``decide`` of the account and of each trade is what the workflows run; the exchange is the one that
simulated accounts trade on. Only what stands between them is left out: time, wires and the record.
The fast engine has to make the same trades.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from models.learning.backtest.bar_exchange import BarExchange, at_market
from models.learning.backtest.bars import Bars
from models.learning.backtest.decisions import INSTALLATION, at_close
from models.learning.backtest.fast import FinerBars, align
from models.learning.backtest.reference_account import strategy_account
from models.learning.backtest.reference_platform import Platform
from models.learning.backtest.results import BacktestFill, BacktestResult, Counts, FillKind
from models.learning.backtest.rules import FillRules, Portfolio
from models.trading.account.capital.drawdown import boundary_after
from models.trading.account.capital.facts import DayBoundaryPassed
from models.trading.account.facts import IdeaArrived
from models.trading.account.state import AccountState
from models.trading.market import Candle
from models.trading.orders import Leg, OrderStatus, OrderType, Side
from models.trading.strategies import Strategy
from models.trading.trade.facts import OrderRefused, PriceCrossed, PriceWatch, WatchKind
from models.trading.trade.state import TradePhase, TradePlan, TradeState
from models.trading.trading_day import day_of, day_start, next_boundary

ZERO = Decimal(0)
NEVER = Decimal(10) ** 15
LAST = datetime(9999, 1, 1, tzinfo=UTC)
Price = tuple[Decimal, Decimal, Decimal, Decimal]


class Reference(Platform):
    """One strategy on one pair, bar by bar."""

    def __init__(
        self,
        strategy: Strategy,
        bars: Bars,
        rules: FillRules,
        portfolio: Portfolio,
        finer: Bars | None = None,
        account: AccountState | None = None,
        before: Bars | None = None,
    ) -> None:
        """Prepare.

        Args:
            strategy: what proposes; it is given each bar once.
            bars: what it decides on.
            rules: how orders fill.
            portfolio: capital and bounds.
            finer: bars of the same pair that resolve what a bar leaves open.
            before: bars that the strategy has seen when the first one comes.
            account: what decides, None: an account in which the strategy alone is a limit.
        """
        alone = strategy_account(bars.instrument, portfolio, rules, strategy.name)
        super().__init__(account or alone, BarExchange(bars, rules, portfolio))
        self.strategy, self.bars, self.rules, self.portfolio = strategy, bars, rules, portfolio
        self.before = before
        self.finer: FinerBars = align(bars, finer)
        self.fills: list[BacktestFill] = []
        self.booked = 0
        self.bought = False
        self.bar = 0
        self.ambiguous = self.held_bars = self.lapsed = self.large = 0
        self.regret = 0.0
        self.interval = timedelta(minutes=bars.interval_minutes)
        self.latency = Decimal(repr(rules.latency_share(bars.interval_minutes)))
        self.volume_share = Decimal(repr(rules.volume_share))

    def run(self) -> BacktestResult:
        """Play every bar and return what came of it."""
        strategy, instrument = self.strategy, self.bars.instrument
        state, before = strategy.start(), None
        for candle in self.before.candles() if self.before is not None else ():
            state = strategy.update(state, candle)
        equity, held = [], []
        cash, units = self.portfolio.capital, 0.0
        for bar, candle in enumerate(self.bars.candles()):
            self.bar = bar
            if self._is_quiet(candle):
                self.held_bars += 1
            elif self.trades or self.entering:
                self._play(candle, before)
                cash, units = self._holdings()
            state = strategy.update(state, candle)
            market = at_close(candle)
            idea = strategy.propose(state, market, instrument, INSTALLATION)
            if idea is not None:
                self._close_day(candle)
                self.exchange.pass_time(market.observed_at)
                fees = {instrument.symbol: self.exchange.rates()}
                self.account = replace(self.account, fees=fees)
                seen = self.exchange.seen(market)
                self.signal_account(IdeaArrived(idea, seen, market.observed_at))
            equity.append(cash + units * float(candle.close))
            held.append(units)
            before = candle
        counts = Counts(
            self.held_bars, self.ambiguous, self.proposed, self.lapsed, self.large, self.regret
        )
        return BacktestResult(
            self.bars,
            "reference",
            self.portfolio.capital,
            tuple(self.fills),
            np.array(equity),
            np.array(held),
            counts,
        )

    # --- one bar ---------------------------------------------------------------------------

    def _is_quiet(self, candle: Candle) -> bool:
        """Tell whether nothing can happen in a bar to what is held: no level is met."""
        if not self.trades or self.entering or self.wanted:
            return False
        if self.levels is None:
            self.levels = self._levels()
        floor, ceiling, due = self.levels
        return floor < candle.low and candle.high < ceiling and candle.start + self.interval < due

    def _levels(self) -> tuple[Decimal, Decimal, datetime]:
        """Return below and above which prices, and from when on, something happens to a trade."""
        trades = self.trades.values()
        if any(trade.held <= ZERO for trade in trades) or len(self.finer.first):
            return NEVER, ZERO, self.exchange.now
        watches = [watch for trade in trades for watch in trade.watches]
        return (
            max(trade.stop_price for trade in trades),
            min((w.level for w in watches if w.due_at is None), default=NEVER),
            min((w.due_at for w in watches if w.due_at is not None), default=LAST),
        )

    def _play(self, candle: Candle, before: Candle | None) -> None:
        """Let a bar pass: what was decided at the close before, then what the bar brings."""
        self.exchange.pass_time(candle.start)
        self._sell_wanted(candle)
        joined = before is not None and candle.start - before.start == self.interval
        self.bought = False
        within = self._enter(candle, joined=joined)
        self._end_entries(candle.start + self.interval)
        held = any(trade.held > ZERO for trade in self.trades.values())
        # What a stop sold again where it was bought was held in this bar as well.
        self.held_bars += held or self.bought
        if held:
            self._guard_all(candle, within)
        self._ring(candle.start + self.interval)
        self.book()

    def _sell_wanted(self, candle: Candle) -> None:
        """Tell trades at the open what the account wanted of them at the close before."""
        if not self.wanted:
            return
        wanted, self.wanted = self.wanted, []
        moved = candle.open - (candle.open - candle.low) * self.latency
        self.signal_all(self.exchange.show(self.exchange.sold_at(moved)))
        for number, fact in wanted:
            if number in self.trades:
                self.tell(number, fact)

    def _enter(self, candle: Candle, *, joined: bool) -> Decimal | None:
        """Send the entries that were decided; return the limit of one that filled in the bar."""
        entering, self.entering = self.entering, []
        within = None
        for plan in entering:
            spec = at_market(plan.entry)
            most = self._floor(candle.volume * self.volume_share)
            quantity = min(spec.quantity, most)
            # What could not be protected by a stop of its own is not bought.
            if not joined or not self.bars.instrument.meets_minimum(quantity, plan.stop_price):
                self._refuse(plan, "the bar has no room for it" if joined else "the bar is absent")
                filled = ZERO
            elif spec.order_type is OrderType.LIMIT:
                filled, inside = self._enter_at_limit(plan, candle, most)
                within = spec.limit_price if inside else within
            else:
                price = self._market_price(candle)
                self.signal_all(self.exchange.show(self.exchange.sold_at(candle.open), price, most))
                self.signal_all(self.exchange.place(spec))
                filled = quantity
            self.bought = self.bought or filled > ZERO
            missed = spec.quantity - filled
            if missed > ZERO:
                self.lapsed += 1
                planned = spec.limit_price if spec.limit_price is not None else candle.open
                self.regret += float(missed * (candle.close - planned))
        return within

    def _market_price(self, candle: Candle) -> Decimal:
        moved = candle.open + (candle.high - candle.open) * self.latency
        return self.exchange.bought_at(moved)

    def _enter_at_limit(
        self, plan: TradePlan, candle: Candle, most: Decimal
    ) -> tuple[Decimal, bool]:
        """Return what a limit entry bought, and whether within the bar and not at its open."""
        limit = plan.entry.limit_price
        assert limit is not None
        tick, exchange = self.bars.instrument.price_increment, self.exchange
        if candle.open <= limit:
            price = min(limit, self._market_price(candle))
            self.signal_all(exchange.show(exchange.sold_at(candle.open), price, most))
            # The bar has no more for it; a rest would stand in the way of a stop that fires here.
            self.signal_all(exchange.place(plan.entry, rests=False))
            return min(plan.entry.quantity, most), False
        self.signal_all(exchange.show(ZERO))
        self.signal_all(exchange.place(plan.entry))
        if candle.low > limit - tick:
            return ZERO, False
        self.signal_all(exchange.trade(limit, ZERO, most))
        return min(plan.entry.quantity, most), True

    def _refuse(self, plan: TradePlan, reason: str) -> None:
        name = plan.entry.client_order_id
        now = self.exchange.now
        self.tell(plan.number, OrderRefused(name, OrderStatus.NOT_PLACED, reason, now))

    def _end_entries(self, now: datetime) -> None:
        """Withdraw what has not filled: the bar has no more for it, whatever comes later in it."""
        self._ring(now, [n for n, t in self.trades.items() if t.plan.entry_until is not None])

    def _ring(self, now: datetime, numbers: Iterable[int] | None = None) -> None:
        """Let the moments come that trades wait for."""
        for number in sorted(self.trades if numbers is None else numbers):
            trade = self.trades.get(number)
            for watch in trade.watches if trade is not None else ():
                if watch.due_at is not None and watch.due_at <= now and number in self.trades:
                    self.tell(number, PriceCrossed(watch.watch_id, watch.kind, ZERO, now))

    # --- protection ------------------------------------------------------------------------

    def _guard_all(self, candle: Candle, within: Decimal | None) -> None:
        """Show each trade what the bar does to its stop, target and trail, the highest stop first.

        Finer bars are gone through one by one where there are any.
        """
        for prices in self._parts():
            whole = prices is None
            first, high, low, last = (
                (candle.open, candle.high, candle.low, candle.close) if prices is None else prices
            )
            if within is not None:
                if whole or low <= within - self.bars.instrument.price_increment:
                    self._only_stops(low)
                    within = None
                continue
            for number in sorted(self.trades, key=lambda n: -self.trades[n].stop_price):
                trade = self.trades.get(number)
                if trade is not None and trade.held > ZERO:
                    self._guard(number, trade, (first, high, low, last))

    def _parts(self) -> list[Price | None]:
        first = self.finer.first
        if not len(first) or first[self.bar + 1] == first[self.bar]:
            return [None]
        tick = self.bars.instrument.price_increment
        rows = self.finer.rows[first[self.bar] : first[self.bar + 1]].tolist()
        return [(a * tick, b * tick, c * tick, d * tick) for a, b, c, d in rows]

    def _only_stops(self, low: Decimal) -> None:
        """After a fill inside a bar nothing of it is known but its way down."""
        for number in sorted(self.trades, key=lambda n: -self.trades[n].stop_price):
            trade = self.trades[number]
            if trade.held > ZERO and low <= trade.stop_price:
                self._stop(trade.stop_price)

    def _guard(self, number: int, trade: TradeState, prices: Price) -> None:
        opening, high, low, close = prices
        stop, take = trade.stop_price, trade.take_profit_price
        if opening <= stop:
            self._stop(opening)
        elif take is not None and take <= opening:
            self._take(number, trade, opening)
        elif low <= stop or (take is not None and take <= high):
            both = low <= stop and take is not None and take <= high
            self.ambiguous += both
            if low <= stop and not (both and self.rules.target_first):
                self._stop(stop)
            else:
                assert take is not None
                self._take(number, trade, take)
        else:
            self._trail(number, trade, high, low, close)

    def _stop(self, price: Decimal) -> None:
        """Let the market trade at a price at which stops fire."""
        self.signal_all(self.exchange.trade(price, self.exchange.sold_at(price)))

    def _take(self, number: int, trade: TradeState, price: Decimal) -> None:
        self.signal_all(self.exchange.show(self.exchange.sold_at(price)))
        watch = _watch_of(trade, WatchKind.TAKE_PROFIT)
        if watch is not None:
            self.tell(number, PriceCrossed(watch.watch_id, watch.kind, price, self.exchange.now))

    def _trail(
        self, number: int, trade: TradeState, high: Decimal, low: Decimal, close: Decimal
    ) -> None:
        """Let the stop follow a rise, and fire where the bar came back to it."""
        watch = _watch_of(trade, WatchKind.TRAIL)
        if watch is None or high < watch.level:
            return
        self.signal_all(self.exchange.trade(high, self.exchange.sold_at(high)))
        self.tell(number, PriceCrossed(watch.watch_id, watch.kind, high, self.exchange.now))
        followed = self.trades[number].stop_price
        if close <= followed:
            self._stop(followed)
        elif low <= followed:
            self.ambiguous += 1
            if not self.rules.target_first:
                self._stop(followed)

    # --- figures ---------------------------------------------------------------------------

    def book(self) -> None:
        """Write down the executions since the last time."""
        tick, places = self.bars.instrument.price_increment, self.bars.instrument.quantity_precision
        for execution, spec in self.exchange.executions[self.booked :]:
            lots = int(execution.quantity.scaleb(places))
            kind = self._kind(execution.side, spec.leg, execution.order_txid, spec.trade)
            if execution.side is Side.SELL and self._is_large(execution.quantity):
                self.large += 1
            self.fills.append(
                BacktestFill(
                    self.bar,
                    kind,
                    int(execution.price / tick),
                    lots,
                    float(execution.fee),
                    execution.maker,
                )
            )
        self.booked = len(self.exchange.executions)

    def _kind(self, side: Side, leg: Leg, order_id: str, number: int) -> FillKind:
        if side is Side.BUY:
            return FillKind.ENTRY
        if leg is Leg.PART:
            return FillKind.PART
        trade = self.trades[number]
        if leg is Leg.STOP:
            order = next(o for o in trade.orders if o.order_id == order_id)
            first = trade.plan.stop_price
            moved = order.trigger_price is not None and order.trigger_price > first
            return FillKind.TRAILING_STOP if moved else FillKind.STOP
        took = trade.exit_reason is not None and trade.exit_reason.value == "take_profit"
        return FillKind.TAKE_PROFIT if took else FillKind.EXIT

    def _is_large(self, quantity: Decimal) -> bool:
        return float(quantity) > float(self.bars.volume[self.bar]) * self.rules.volume_share

    def _holdings(self) -> tuple[float, float]:
        held = sum((trade.held for trade in self.trades.values()), ZERO)
        return float(self.account.cash), float(held)

    def _floor(self, quantity: Decimal) -> Decimal:
        return self.bars.instrument.floor_quantity(quantity)

    def _close_day(self, candle: Candle) -> None:
        """Close the account's days that have ended, as its clock does."""
        drawdown, rule, now = self.account.drawdown, self.account.day, candle.start + self.interval
        if drawdown is None or boundary_after(rule, drawdown.opened_at) > now:
            return
        before = day_start(rule, day_of(rule, now)) - timedelta(minutes=1)
        boundary = next_boundary(rule, before)
        prices = {candle.symbol: candle.close}
        self.signal_account(DayBoundaryPassed(boundary, prices, {}, boundary.at))


def _watch_of(trade: TradeState, kind: WatchKind) -> PriceWatch | None:
    if trade.phase is TradePhase.SETTLED:
        return None
    return next((watch for watch in trade.watches if watch.kind is kind), None)


def run_reference(
    strategy: Strategy,
    bars: Bars,
    rules: FillRules | None = None,
    portfolio: Portfolio | None = None,
    finer: Bars | None = None,
    before: Bars | None = None,
) -> BacktestResult:
    """Play a strategy over bars by the platform's own decisions."""
    rules, portfolio = rules or FillRules(), portfolio or Portfolio()
    return Reference(strategy, bars, rules, portfolio, finer, before=before).run()
